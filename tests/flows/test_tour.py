"""The whole tour: subscribe in the chat, confirm on the page, get the letter in your language, leave."""

import re
from pathlib import Path

import httpx

from demo.mail import Letter
from tests.bot.talks import Talk
from tests.flows.installations import Installation

ANA = "ana@example.org"
NEWS = {
    "en": "+++\nsubject = 'News from the regions'\n+++\nDear {{ subscriber.first_name or 'you' }}, hello.\n",
    "sl": "+++\nsubject = 'Novice iz regij'\n+++\nPozdrav, {{ subscriber.first_name or 'bralec' }}.\n",
}


def _files(folder: Path, name: str) -> list[Path]:
    paths = []
    for language, text in NEWS.items():
        path = folder / f"{name}.{language}.md"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _link(letter: Letter, path: str) -> str:
    found = re.search(rf"http://127\.0\.0\.1:\d+{path}/[^\s\"<>)]+", letter.text)
    assert found, letter.text
    return found[0]


async def _subscribe_in_chat(ana: Talk) -> None:
    screen = await ana.press(await ana.say("/subscribe"), "Po e-pošti")
    screen = await ana.say(ANA)
    screen = await ana.press(screen, "Gospodarstvo")
    screen = await ana.press(screen, "MSP")
    screen = await ana.press(screen, "Slovenija")
    screen = await ana.press(screen, "Vse")
    await ana.press(screen, "✅")


async def test_a_stakeholder_asks_subscribes_reads_and_leaves(
    installation: Installation, tmp_path: Path
) -> None:
    relay = installation.relay
    await installation.command("operators", "add", "team@example.org", "--role", "lead")
    readers = tmp_path / "readers.csv"
    readers.write_text("email,name,language\nbor@example.org,Bor,pt\n", encoding="utf-8")
    await installation.command("subscribers", "import", str(readers), "--consent", "I agree.")
    async with installation.running() as service, httpx.AsyncClient() as browser:
        ana = Talk(installation.telegram, "Ana", language_code="sl")
        await ana.say("/start")
        answer = await ana.say("Kdo je vodilni partner?")
        assert "Maribor" in answer.text
        await _subscribe_in_chat(ana)

        [asked] = await relay.wait_for(ANA)
        page = _link(asked, "/confirm")
        assert (await browser.get(page)).status_code == 200
        assert "there is no subscriber" in await installation.refusal("subscribers", "show", ANA)
        confirmed = await browser.post(page)
        assert confirmed.status_code == 200
        await relay.wait_for(ANA, count=2)

        campaign = await installation.send_campaign(*_files(tmp_path, "first"))
        status = await installation.until_sent(campaign)
        assert (status["audience"], status["counts"]["sent"], status["balanced"]) == (2, 2, True)
        letter = next(each for each in relay.letters_to(ANA) if "Novice" in each.subject)
        assert "News from the regions" in relay.letters_to("bor@example.org")[0].subject
        assert letter.one_click_url is not None
        left = await browser.post(letter.one_click_url, data={"List-Unsubscribe": "One-Click"})
        assert (left.status_code, left.history) == (200, [])

        before = len(relay.letters_to(ANA))
        campaign = await installation.send_campaign(*_files(tmp_path, "second"))
        status = await installation.until_sent(campaign)
        assert (status["audience"], status["counts"]["sent"]) == (1, 1)
        assert len(relay.letters_to(ANA)) == before
        service.terminate()
        _, log = await service.communicate()
    for secret in (ANA, "bor@example.org", "vodilni", page.rsplit("/", 1)[1].split("?")[0]):
        assert secret not in log.decode()
