"""The settings of the section [telegram], and what failures mean."""

import httpx
import pytest
from pydantic import ValidationError
from telegram import error

from bot.api import trouble_of
from bot.settings import TelegramSettings
from bot.troubles import Busy, Gone, Moved, Refused, Taken, Trouble, Uncertain, Unreachable


@pytest.mark.parametrize("token", ["", "123456:replace-this", "change-me", "12345", "abc:def", "1:a b"])
def test_a_token_that_cannot_be_one_is_refused_with_the_cure(token: str) -> None:
    with pytest.raises(ValidationError, match=r"token: .*@BotFather"):
        TelegramSettings(token=token, mode="polling")


def test_switched_off_it_needs_no_token() -> None:
    assert TelegramSettings().mode == "off"


def test_an_address_is_checked_and_an_unknown_key_refused() -> None:
    assert TelegramSettings(api_url="http://127.0.0.1:8081/").api_url == "http://127.0.0.1:8081"
    with pytest.raises(ValidationError, match="web address"):
        TelegramSettings(api_url="api.telegram.org")
    with pytest.raises(ValidationError, match="extra"):
        TelegramSettings.model_validate({"tokne": "1:a"})


def _caused(failure: error.TelegramError, cause: Exception) -> error.TelegramError:
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (error.RetryAfter(3), Busy),
        (error.Forbidden("Forbidden: bot was blocked by the user"), Gone),
        (error.BadRequest("Bad Request: chat not found"), Gone),
        (error.BadRequest("Bad Request: message is not modified"), Refused),
        (error.ChatMigrated(-1001), Moved),
        (error.Conflict("Conflict: terminated"), Taken),
        (error.NetworkError("Bad Gateway"), Unreachable),
        (_caused(error.NetworkError("x"), httpx.ConnectError("x")), Unreachable),
        (_caused(error.TimedOut(), httpx.ConnectTimeout("x")), Unreachable),
        (_caused(error.TimedOut(), httpx.PoolTimeout("x")), Unreachable),
        (_caused(error.TimedOut(), httpx.ReadTimeout("x")), Uncertain),
        (_caused(error.NetworkError("x"), httpx.RemoteProtocolError("x")), Uncertain),
    ],
)
def test_a_failure_says_whether_anything_was_done(failure: error.TelegramError, kind: type[Trouble]) -> None:
    assert type(trouble_of(failure)) is kind


def test_what_telegram_quotes_is_not_passed_on() -> None:
    quoted = "Bad Request: inline keyboard button URL 'http://secret' is invalid, tag \"secret\""
    assert "secret" not in str(trouble_of(error.BadRequest(quoted)))
    assert "123456:token" not in str(trouble_of(error.InvalidToken("The token `123456:token` was rejected")))
