"""The menu of commands and what the bot tells about itself, per language, kept up to date at Telegram."""

from collections.abc import Awaitable, Callable

import telegram
from telegram import BotCommand

from bot.api import translated
from domain.languages import FALLBACK, Language
from domain.sites import ServiceSettings
from wording.texts import Texts

Commands = tuple[tuple[str, str], ...]


def commands(texts: Texts, language: Language) -> Commands:
    """Return each command with its description, in the order of the menu."""
    return tuple(texts.labels("bot/commands.jinja", language).items())


async def publish(bot: telegram.Bot, texts: Texts, service: ServiceSettings) -> None:
    """Tell Telegram the menus and descriptions that it does not show yet; raises `Trouble`.

    The app takes those of its own language, or those for everybody, which are in English.
    """
    for language in service.languages:
        await _publish(bot, texts, service, language, language.value)
    await _publish(bot, texts, service, FALLBACK, None)


async def _publish(
    bot: telegram.Bot, texts: Texts, service: ServiceSettings, language: Language, code: str | None
) -> None:
    operator = service.operator
    description = texts.render("bot/description.txt", language, service=service.name, operator=operator)
    short = texts.render("bot/short-description.txt", language, service=service.name, operator=operator)
    with translated():
        await _set_commands(bot, [BotCommand(*each) for each in commands(texts, language)], code)
        told = (await bot.get_my_description(language_code=code)).description
        await _tell(description, told, lambda text: bot.set_my_description(text, language_code=code))
        told = (await bot.get_my_short_description(language_code=code)).short_description
        await _tell(short, told, lambda text: bot.set_my_short_description(text, language_code=code))


async def _set_commands(bot: telegram.Bot, wanted: list[BotCommand], code: str | None) -> None:
    if list(await bot.get_my_commands(language_code=code)) != wanted:
        await bot.set_my_commands(wanted, language_code=code)


async def _tell(wanted: str, told: str, tell: Callable[[str], Awaitable[bool]]) -> None:
    if told != wanted.strip():
        await tell(wanted.strip())
