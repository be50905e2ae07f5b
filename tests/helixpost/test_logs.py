"""Logs say what happened and where, and never whose address it was."""

import logging

import pytest
import structlog

from helixpost import logs

ADDRESS = "secret.person@example.org"


def _quote() -> None:
    raise ValueError(f"Key (email_key)=({ADDRESS}) already exists")


def _fail() -> None:
    try:
        _quote()
    except ValueError as error:
        raise ExceptionGroup("both", [KeyError(ADDRESS), RuntimeError("a role ended")]) from error


@pytest.mark.parametrize("terminal", [True, False])
def test_an_error_is_told_by_kind_and_place_only(
    capsys: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    logs.configure(stream_is_terminal=terminal)
    try:
        _fail()
    except ExceptionGroup:
        structlog.get_logger().exception("it_failed", delivery=7)
        logging.getLogger("a.library").exception("it failed")
    told = capsys.readouterr().err
    assert ADDRESS not in told
    assert told.count("ValueError") >= 2
    assert "test_logs.py" in told
    assert "RuntimeError: a role ended" in told


def _out_of_its_group(error: Exception) -> Exception:
    error.__cause__ = ExceptionGroup("a group", [error])
    return error


def test_an_error_raised_out_of_its_own_group_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(stream_is_terminal=False)
    try:
        raise _out_of_its_group(RuntimeError("round and round"))
    except RuntimeError:
        structlog.get_logger().exception("it_failed")
    assert capsys.readouterr().err.count("RuntimeError: round and round") == 1
