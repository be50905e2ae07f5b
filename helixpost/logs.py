"""Structured logs, without personal data: one line an event, JSON unless a person is looking."""

import logging
import sys
from collections.abc import Iterator
from traceback import format_tb

import structlog
from structlog.typing import ExcInfo, Processor

# These write addresses that carry secrets (a bot's token, a relay's answer) at lower levels.
_LOUD = ("httpx", "httpcore", "telegram", "apscheduler", "uvicorn", "alembic", "asyncio", "mail.log")


_SPEAKING = (AttributeError, ImportError, NameError, NotImplementedError, RuntimeError, TypeError)
"""Errors whose words name code, not people."""


def configure(*, stream_is_terminal: bool | None = None) -> None:
    """Send every log line, ours and the libraries', to stderr in one form."""
    terminal = sys.stderr.isatty() if stream_is_terminal is None else stream_is_terminal
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_told),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, terminal=terminal))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


def _told(exc_info: ExcInfo) -> str:
    """Return where an error came from and of what kinds it is.

    Its words are kept only where they are ours or Python's own: a database quotes addresses in its
    messages (`Key (email_key)=(…) already exists`), a mail server repeats the recipient.
    """
    return "\n".join(_lines(exc_info[1]))


def _lines(error: BaseException, told: frozenset[int] = frozenset()) -> Iterator[str]:
    # An error raised out of its own group stands in a circle of causes: each is told once.
    told |= {id(error)}
    reason = error.__cause__ or error.__context__
    if reason is not None and id(reason) not in told:
        yield from _lines(reason, told)
        yield "which led to"
    yield from (line.rstrip() for line in format_tb(error.__traceback__))
    kind = type(error).__name__
    yield f"{kind}: {error}" if isinstance(error, _SPEAKING) else kind
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(inner) not in told:
            yield from _lines(inner, told)


def _formatter(shared: list[Processor], *, terminal: bool) -> logging.Formatter:
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
