"""Crashing: a process that kills itself between two steps of the database.

The program is not changed and knows nothing of it: SQLAlchemy tells of every statement and commit.
"""

import os
import re
import signal
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Pool, event

_WORK = {
    "start": re.compile(r"INSERT INTO delivery "),
    "claim": re.compile(r"UPDATE delivery SET (?=.*\battempts=).*\bclaimed_by="),
    "record": re.compile(r"UPDATE delivery SET (?!.*\bclaimed_by=).*\bfinished_at="),
}
"""The statement by which each piece of work is known."""


class Step(StrEnum):
    """Where the process ends: before the statement that is the work, before its commit, after it."""

    BEFORE_START = "start:before"
    UNCOMMITTED_START = "start:uncommitted"
    COMMITTED_START = "start:committed"
    BEFORE_CLAIM = "claim:before"
    UNCOMMITTED_CLAIM = "claim:uncommitted"
    COMMITTED_CLAIM = "claim:committed"
    BEFORE_RECORD = "record:before"
    UNCOMMITTED_RECORD = "record:uncommitted"
    COMMITTED_RECORD = "record:committed"


class Watcher:
    """Follows the statements of every connection and kills the process when it comes to its step."""

    def __init__(self, step: Step) -> None:
        """Begin to watch."""
        self._work, _, self._moment = step.partition(":")
        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "after_cursor_execute", self._after_statement)
        event.listen(Engine, "commit", self._before_commit)
        event.listen(Pool, "checkin", self._after_transaction)

    def _before_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._is_work(statement):
            self._die_if("before")

    def _after_statement(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._is_work(statement):
            connection.info[self._work] = "done"

    def _before_commit(self, connection: Any) -> None:
        if connection.info.get(self._work) == "done":
            self._die_if("uncommitted")
            connection.info[self._work] = "committing"

    def _after_transaction(self, _connection: Any, record: Any) -> None:
        # The connection goes back to its pool: a commit that had begun has taken place.
        if record.info.pop(self._work, "") == "committing":
            self._die_if("committed")

    def _is_work(self, statement: str) -> bool:
        return bool(_WORK[self._work].search(" ".join(statement.split())))

    def _die_if(self, moment: str) -> None:
        if self._moment == moment:
            os.kill(os.getpid(), signal.SIGKILL)
