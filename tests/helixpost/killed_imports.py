"""An import that is killed as by `kill -9`, for those who look at what it leaves behind.

`python -m tests.helixpost.killed_imports CONFIG FILE SLICE STATEMENT TIMES` dies before the statement that
begins so is executed for that time.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from helixpost import importing, settings
from helixpost.importing import Import
from helixpost.wiring import opened


async def _run(words: list[str]) -> None:
    config, file, size, statement, times = words
    async with opened(settings.read(Path(config))) as service:
        left = int(times)

        def die_in_time(_connection: Any, _cursor: Any, told: str, *_: Any) -> None:
            nonlocal left
            left -= told.startswith(statement)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(service.database.engine.sync_engine, "before_cursor_execute", die_in_time)
        roster = await importing.open_roster(service, Path(file))
        await Import(service, roster, size=int(size)).run("I agree.")


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1:]))
