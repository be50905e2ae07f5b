"""Menus and descriptions at Telegram, per language, sent only when they changed."""

import telegram

from bot import menus
from bot.routing import COMMANDS
from demo.telegram import Telegram
from demo.telegram.profiles import LONGEST
from domain.languages import Language
from domain.sites import ServiceSettings
from wording.texts import Texts


async def test_every_language_has_its_menu_and_its_descriptions(
    client: telegram.Bot, cloud: Telegram, texts: Texts, service: ServiceSettings
) -> None:
    await menus.publish(client, texts, service)
    for code in ("", *Language):
        assert len(cloud.profile.listed_commands(None, code)) == len(COMMANDS)
        assert "CAPITANK" in cloud.profile.texts["description", code]
        assert "INTRA news" in cloud.profile.texts["short_description", code]


async def test_what_telegram_shows_already_is_not_sent_again(
    client: telegram.Bot, cloud: Telegram, texts: Texts, service: ServiceSettings
) -> None:
    await menus.publish(client, texts, service)
    for method in ("setMyCommands", "setMyDescription", "setMyShortDescription"):
        cloud.fail_next(method, 429, "Too Many Requests: retry after 999", retry_after=999)
    await menus.publish(client, texts, service)


def test_every_command_of_the_menu_exists_and_every_text_fits(texts: Texts) -> None:
    for language in Language:
        assert {name for name, _ in menus.commands(texts, language)} == set(COMMANDS)
        names = {"service": "A project's service", "operator": "An organisation"}
        for kind, file in (("description", "description"), ("short_description", "short-description")):
            assert len(texts.render(f"bot/{file}.txt", language, **names).strip()) <= LONGEST[kind]
