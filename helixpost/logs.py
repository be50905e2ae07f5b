"""Structured logs, without personal data: one line an event, JSON unless a person is looking."""

import logging
import sys

import structlog
from structlog.typing import Processor

# These write addresses that carry secrets (a bot's token, a relay's answer) at lower levels.
_LOUD = ("httpx", "httpcore", "telegram", "apscheduler", "uvicorn", "alembic", "asyncio", "mail.log")


def configure(*, stream_is_terminal: bool | None = None) -> None:
    """Send every log line, ours and the libraries', to stderr in one form."""
    terminal = sys.stderr.isatty() if stream_is_terminal is None else stream_is_terminal
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
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


def _formatter(shared: list[Processor], *, terminal: bool) -> logging.Formatter:
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
