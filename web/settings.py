"""What can be set about the pages: where they are served and what they link to."""

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, field_validator


class WebSettings(BaseModel):
    """The section `[web]`."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    bot_url: str = ""
    """Where people find the bot, such as https://t.me/NameOfTheBot; empty = the pages do not name it."""

    @field_validator("bot_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        if url:
            TypeAdapter(HttpUrl).validate_python(url)
        return url
