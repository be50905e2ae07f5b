"""What can be set about the bot: its token, where Telegram answers, and how updates arrive."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_PLACEHOLDERS = ("change-me", "changeme", "replace", "placeholder", "your-", "your_")


class TelegramSettings(BaseModel):
    """The section `[telegram]`."""

    model_config = ConfigDict(extra="forbid")

    token: str = ""
    api_url: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook", "off"] = "off"

    @model_validator(mode="after")
    def _is_usable(self) -> "TelegramSettings":
        self.api_url = self.api_url.rstrip("/")
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", self.api_url):
            raise ValueError("api_url: write a web address such as https://api.telegram.org")
        if self.mode != "off":
            _check_token(self.token)
        return self


def _check_token(token: str) -> None:
    if not token:
        raise ValueError('token: it is empty; get one from @BotFather, or set mode = "off"')
    if any(word in token.lower() for word in _PLACEHOLDERS):
        raise ValueError('token: this is a placeholder; get one from @BotFather, or set mode = "off"')
    if not _TOKEN.fullmatch(token):
        raise ValueError("token: it looks like 123456789:AAE…; copy the whole line from @BotFather")
