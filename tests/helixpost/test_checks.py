"""The pre-flight on the command line: what it says, in words and for scripts, and what it stops."""

import json
from pathlib import Path

import pytest

from tests.helixpost.conftest import Command, Result

PLENTY = "Plenty of words that say what matters to whoever reads them, one after the other. " * 4
ODD = "=?utf-8?q?B=0D=0ABcc=3Aeva=40example=2Eorg?="
"""A name that some mail libraries would make a header of its own of (CVE-2024-6923)."""
PUBLIC = "https://news.intra.eu"


@pytest.fixture
def helixpost(helixpost: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command with readers in three languages, one of whom has an odd name."""
    monkeypatch.setenv("HELIXPOST_SERVICE__BASE_URL", PUBLIC)
    file = tmp_path / "readers.csv"
    file.write_text(f"email,name,language\nana@example.org,Ana,en\nbor@example.org,{ODD},sl\n", "utf-8")
    assert helixpost("subscribers", "import", file, "--consent", "I agree.").code == 0
    return helixpost


def _create(
    helixpost: Command, folder: Path, body: str = PLENTY, *, subject: str = "News", more: str = ""
) -> str:
    for language in ("en", "sl"):
        text = f"+++\nsubject = '''{subject}'''\n{more}\n+++\n{body}\n"
        (folder / f"news.{language}.md").write_text(text, encoding="utf-8")
    created = helixpost("campaigns", "create", folder / "news.en.md", folder / "news.sl.md")
    assert created.code == 0, created.err
    return created.out.strip()


def _schedule(helixpost: Command, number: str) -> Result:
    assert helixpost("campaigns", "approve", number).code == 0
    return helixpost("campaigns", "schedule", number, "--at", "2030-12-01 09:00")


def _status(helixpost: Command, number: str) -> str:
    status: str = json.loads(helixpost("campaigns", "status", number, "--json").out)["status"]
    return status


def test_a_campaign_with_nothing_to_mend_says_so_in_words(helixpost: Command, tmp_path: Path) -> None:
    number = _create(helixpost, tmp_path)
    checked = helixpost("campaigns", "check", number)
    assert (checked.code, checked.err) == (0, "")
    assert checked.out == f"Campaign {number} “news”: nothing to mend. 2 of 2 readers' copies can be sent.\n"
    assert json.loads(helixpost("campaigns", "check", number, "--json").out) == {
        "id": int(number),
        "errors": 0,
        "warnings": 0,
        "findings": [],
        "readers": {"checked": 2, "unfit": 0},
    }


def test_what_is_found_stands_under_its_language_with_the_cure_beside_it(
    helixpost: Command, tmp_path: Path
) -> None:
    number = _create(
        helixpost, tmp_path, "[here](http://www.europa.eu/)", subject="For {{ subscriber.name }}"
    )
    checked = helixpost("campaigns", "check", number)
    assert checked.code == 1
    lines = checked.out.splitlines()
    assert lines[0].startswith(
        f"Campaign {number} “news”: 1 to mend, 4 to look at. 1 of 2 readers' copies can"
    )
    groups = [line for line in lines if line in ("The campaign as a whole", "English", "Slovenščina")]
    assert groups == ["The campaign as a whole", "English", "Slovenščina"]
    assert (
        "warning  html  The link “here” does not say where it leads.  Let its words name what is there."
    ) in lines[lines.index("Slovenščina") :]
    assert lines[-1].endswith("is bor@example.org.")


def test_scripts_get_every_finding_without_an_address(helixpost: Command, tmp_path: Path) -> None:
    number = _create(helixpost, tmp_path, subject="For {{ subscriber.name }}")
    checked = helixpost("campaigns", "check", number, "--json")
    report = json.loads(checked.out)
    assert (checked.code, report["errors"], report["warnings"]) == (1, 1, 0)
    assert report["readers"] == {"checked": 2, "unfit": 1}
    [finding] = report["findings"]
    assert "subject: the character U+000D cannot stand in a header" in finding.pop("message")
    assert finding.pop("cure")
    assert finding == {"severity": "error", "code": "unfit_copy", "language": None, "part": "readers"}
    assert "bor@example.org" not in checked.out + checked.err


def test_an_error_stops_scheduling_and_names_the_command_that_shows_all(
    helixpost: Command, tmp_path: Path
) -> None:
    number = _create(helixpost, tmp_path, subject="{{ subscriber.organisation }}")
    refused = _schedule(helixpost, number)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        "helixpost: en subject: it is empty for readers of whom we know little; give it words of its own: "
        f"{{{{ subscriber.first_name or 'reader' }}}} (helixpost campaigns check {number} shows all)\n"
    )
    assert _status(helixpost, number) == "approved"


def test_a_warning_is_shown_and_scheduling_goes_on(helixpost: Command, tmp_path: Path) -> None:
    number = _create(helixpost, tmp_path, f"{PLENTY} [here](https://www.europa.eu/)")
    scheduled = _schedule(helixpost, number)
    assert scheduled.code == 0
    assert scheduled.out.startswith(f"Campaign {number} starts at 2030-12-01 09:00")
    assert scheduled.err.splitlines() == [
        f"warning: {language} html: the link “here” does not say where it leads; "
        "let its words name what is there"
        for language in ("en", "sl")
    ]
    assert _status(helixpost, number) == "scheduled"


def test_a_campaign_for_the_chat_is_made_as_the_bot_makes_it(helixpost: Command, tmp_path: Path) -> None:
    number = _create(helixpost, tmp_path, more='channels = ["telegram", "email"]')
    checked = helixpost("campaigns", "check", number, "--json")
    assert json.loads(checked.out)["readers"] == {"checked": 2, "unfit": 0}


def test_a_link_behind_our_own_walls_is_not_opened(helixpost: Command, tmp_path: Path) -> None:
    number = _create(helixpost, tmp_path, f"{PLENTY} [the router](https://192.168.1.1/)")
    report = json.loads(helixpost("campaigns", "check", number, "--fetch", "--json").out)
    dead = [finding["message"] for finding in report["findings"] if finding["code"] == "dead_link"]
    assert dead == ["the link https://192.168.1.1/ is dead: it leads to a private network"] * 2


def test_a_campaign_that_is_not_there_is_refused(helixpost: Command) -> None:
    refused = helixpost("campaigns", "check", "99")
    assert (refused.code, refused.err) == (1, "helixpost: there is no campaign 99\n")
