"""The door to Telegram: its settings, its calls, and its errors in our words.

Only this module names the library's errors. Their messages may hold the token: none is passed on.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import telegram
from telegram import error
from telegram.request import HTTPXRequest

from bot.settings import TelegramSettings
from bot.troubles import (
    BadToken,
    Busy,
    Gone,
    Moved,
    Refused,
    Taken,
    Trouble,
    Uncertain,
    Unreachable,
)

# The library's own switch to the types of its next release; without it, it warns at every pause.
os.environ.setdefault("PTB_TIMEDELTA", "true")

ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]
POLL_SECONDS = 30
_POOL = 32
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_QUOTED = re.compile(r"\"[^\"]*\"|(?<=\s)'[^']*'")
"""Telegram quotes what it refuses: a link, a tag, a piece of text."""
_NOBODY = ("chat not found", "user is deactivated", "peer_id_invalid")


def build(settings: TelegramSettings) -> telegram.Bot:
    """Return the library's bot; nothing is sent yet."""
    return telegram.Bot(
        settings.token,
        base_url=f"{settings.api_url}/bot",
        request=HTTPXRequest(connection_pool_size=_POOL, read_timeout=15, pool_timeout=30),
        get_updates_request=HTTPXRequest(connection_pool_size=2, read_timeout=POLL_SECONDS + 10),
    )


@asynccontextmanager
async def opened(settings: TelegramSettings) -> AsyncIterator[telegram.Bot]:
    """Yield a bot that was not introduced to Telegram yet, and close its connections at the end."""
    bot = build(settings)
    try:
        yield bot
    finally:
        await bot.shutdown()


async def introduce(bot: telegram.Bot) -> str:
    """Ask Telegram who the bot is and return its user name; may be tried again after a `Trouble`."""
    with translated():
        await bot.initialize()
    return bot.username


async def fetch_updates(bot: telegram.Bot, offset: int | None) -> list[Any]:
    """Return updates as Telegram sent them, waiting up to `POLL_SECONDS` for the first.

    A higher `offset` than before confirms everything below it. The library would parse all of them
    and give up on the first that it cannot read; its spelling of the method's name avoids that.
    """
    asked = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED_UPDATES}
    if offset is not None:
        asked["offset"] = offset
    with translated():
        found = await bot.do_api_request("get_Updates", api_kwargs=asked)
    return found if isinstance(found, list) else []


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except error.TelegramError as failure:
        raise trouble_of(failure) from None


def trouble_of(failure: error.TelegramError) -> Trouble:
    """Return what a failure means for us."""
    match failure:
        case error.RetryAfter():
            found: Trouble = Busy(_seconds_of(failure))
        case error.ChatMigrated():
            found = Moved(failure.new_chat_id)
        case error.Forbidden():
            found = Gone()
        case error.InvalidToken() | error.EndPointNotFound():
            found = BadToken("Telegram does not know it; copy it again from @BotFather")
        case error.Conflict():
            found = Taken()
        case error.BadRequest():
            found = _refusal(failure.message)
        case _:
            found = _lost(failure)
    return found


def _refusal(message: str) -> Trouble:
    if any(word in message.lower() for word in _NOBODY):
        return Gone()
    return Refused(_QUOTED.sub("…", message))


def _lost(failure: error.TelegramError) -> Trouble:
    """Tell apart what never left, what Telegram answered with a fault of its own, and the rest."""
    cause = failure.__cause__
    if isinstance(cause, _NEVER_SENT):
        return Unreachable()
    answered_with_an_error = type(failure) is error.NetworkError and cause is None
    return Unreachable() if answered_with_an_error else Uncertain()


def _seconds_of(failure: error.RetryAfter) -> float:
    wait = failure.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
