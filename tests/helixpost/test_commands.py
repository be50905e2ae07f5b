"""The contract of the commands: what scripts may rely on, and how refusals sound."""

import email
import json
import re
import shutil
from email import policy
from pathlib import Path

import pytest

from tests.helixpost.conftest import Command

NEWS = """+++
subject = "News for {{ subscriber.first_name or 'you' }}"
preheader = "Short and good"
+++
Dear {{ subscriber.first_name or "reader" }}, hello.
"""


@pytest.fixture
def readers(helixpost: Command, tmp_path: Path) -> Path:
    file = tmp_path / "readers.csv"
    file.write_text(
        "email,name,country,language,consented_at\n"
        "ana@example.org,Ana Novak,SI,sl,2026-01-02T10:00:00Z\n"
        "bad,Bad,,,\n"
        "bor@example.org,Bor,PT,pt,\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def campaign(helixpost: Command, readers: Path, tmp_path: Path) -> str:
    assert helixpost("subscribers", "import", readers, "--consent", "I agree.").code == 0
    letter = tmp_path / "news.en.md"
    letter.write_text(NEWS, encoding="utf-8")
    created = helixpost("campaigns", "create", letter)
    assert created.code == 0, created.err
    return created.out.strip()


def test_importing_content_twice_changes_nothing(bare: Command) -> None:
    first = json.loads(bare("content", "import", "content/intra", "--json").out)
    again = json.loads(bare("content", "import", "content/intra", "--json").out)
    assert len(first["item"]["added"]) > 80
    assert all(not again[kind][verb] for kind in again for verb in ("added", "changed", "retired"))


def test_the_lead_partner_is_answered_with_its_source(helixpost: Command) -> None:
    answer = json.loads(helixpost("ask", "Who is the lead partner?", "--json").out)
    assert answer["outcome"] == "answer"
    assert "A-021" in answer["references"]
    assert answer["sources"][0]["url"].startswith("http")
    keys = {"outcome", "language", "text", "item", "references", "sources", "suggestions", "confidence"}
    assert set(answer) == keys


def test_an_import_keeps_good_rows_and_lists_bad_ones(helixpost: Command, readers: Path) -> None:
    trial = helixpost("subscribers", "import", readers, "--consent", "I agree.", "--dry-run")
    assert "2 would be added" in trial.out
    assert "line 3: email: not an e-mail address" in trial.err
    assert helixpost("subscribers", "show", "ana@example.org").code == 1
    done = json.loads(helixpost("subscribers", "import", readers, "--consent", "I agree.", "--json").out)
    assert (done["added"], done["known"], [row["line"] for row in done["refused"]]) == (2, 0, [3])
    shown = json.loads(helixpost("subscribers", "show", "ana@example.org", "--json").out)
    assert shown["consents"][0]["text"] == "I agree."


def test_erasing_is_final_and_no_import_revives(helixpost: Command, readers: Path) -> None:
    helixpost("subscribers", "import", readers, "--consent", "I agree.")
    assert helixpost("subscribers", "erase", "ana@example.org", "--yes").code == 0
    assert "there is no subscriber" in helixpost("subscribers", "export", "ana@example.org").err
    again = helixpost("subscribers", "import", readers, "--consent", "I agree.")
    assert "0 added, 1 known already, 1 left before" in again.out


def test_a_preview_is_the_readers_own_letter(helixpost: Command, campaign: str, tmp_path: Path) -> None:
    file = tmp_path / "ana.eml"
    done = helixpost("campaigns", "preview", campaign, "--for", "ana@example.org", "--out", file)
    assert done.code == 0, done.err
    letter = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert letter["Subject"] == "News for Ana"
    text = letter.get_body(("plain",))
    assert text is not None
    assert "Dear Ana, hello." in text.get_content()


def test_a_campaign_moves_only_along_its_way(helixpost: Command, campaign: str) -> None:
    refused = helixpost("campaigns", "schedule", campaign, "--at", "now")
    assert (refused.code, refused.out) == (1, "")
    assert "is draft: you cannot schedule it; it must be approved" in refused.err
    assert helixpost("campaigns", "approve", campaign).code == 0
    at = ("--at", "2030-12-01 09:00", "--zone", "Europe/Lisbon")
    assert "(Europe/Lisbon)" in helixpost("campaigns", "schedule", campaign, *at).out
    assert helixpost("campaigns", "pause", campaign).code == 0
    assert helixpost("campaigns", "resume", campaign).code == 0
    assert helixpost("campaigns", "cancel", campaign).code == 0
    status = json.loads(helixpost("campaigns", "status", campaign, "--json").out)
    assert status["status"] == "cancelled"
    assert set(status) == {
        "id", "status", "audience", "counts", "balanced", "started_at", "finished_at",
    }  # fmt: skip
    assert set(status["counts"]) == {
        "queued", "sending", "sent", "failed", "bounced", "skipped", "uncertain",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at", "zone", "message"),
    [
        ("2020-01-01 09:00", "UTC", "at: .* is in the past"),
        ("2030-01-01 09:00", "Mars/Olympus", "zone: unknown time zone"),
        ("soon", "UTC", "at: 'soon' is not a date and time"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    helixpost: Command, campaign: str, at: str, zone: str, message: str
) -> None:
    helixpost("campaigns", "approve", campaign)
    refused = helixpost("campaigns", "schedule", campaign, "--at", at, "--zone", zone)
    assert refused.code == 1
    assert re.search(message, refused.err)
    assert json.loads(helixpost("campaigns", "status", campaign, "--json").out)["status"] == "approved"


def test_an_audience_that_matches_nobody_is_refused(
    helixpost: Command, campaign: str, tmp_path: Path
) -> None:
    letter = tmp_path / "empty.en.md"
    letter.write_text(NEWS.replace("preheader", 'audience = { countries = ["FR"] }\npreheader'))
    number = helixpost("campaigns", "create", letter).out.strip()
    helixpost("campaigns", "approve", number)
    refused = helixpost("campaigns", "schedule", number, "--at", "now")
    assert refused.code == 1
    assert "audience: it matches nobody" in refused.err


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("news.en.md", "no front matter", "news.en.md:1"),
        ("news.en.md", "+++\nsubject = \n+++\nx", "news.en.md:2"),
        ("news.en.md", "+++\nsubjct = 'x'\n+++\nx", "subjct"),
        ("news.xx.md", NEWS, "xx"),
        ("news.en.md", NEWS + "{{ subscriber.nickname }}", "nickname"),
        ("news.en.md", NEWS + "{{ oops", "news.en.md:"),
        ("news.en.md", NEWS.replace("preheader", "template = 'none'\npreheader"), "template"),
        ("news.en.md", NEWS.replace("preheader", "audience = { helix = ['witches'] }\npreheader"), "helix"),
        ("news.en.md", NEWS.replace("preheader", "audience = { topics = ['gossip'] }\npreheader"), "gossip"),
        ("news.en.md", NEWS.replace("preheader", "channels = ['pigeon']\npreheader"), "channels"),
    ],
)
def test_a_campaign_file_that_cannot_be_right_is_refused_and_nothing_is_stored(
    helixpost: Command, tmp_path: Path, name: str, text: str, message: str
) -> None:
    letter = tmp_path / name
    letter.write_text(text, encoding="utf-8")
    refused = helixpost("campaigns", "create", letter)
    assert refused.code == 1
    assert message in refused.err
    assert json.loads(helixpost("campaigns", "list", "--json").out) == []


def test_wrong_usage_is_told_apart_from_a_refusal(bare: Command) -> None:
    assert bare("campaigns", "approve").code == 2
    assert bare("campaigns", "approve", "99").code == 1
    assert bare("nonsense").code == 2


def test_a_campaign_needs_a_project(bare: Command, tmp_path: Path) -> None:
    letter = tmp_path / "news.en.md"
    letter.write_text(NEWS, encoding="utf-8")
    assert "helixpost content import" in bare("campaigns", "create", letter).err


def test_operators_are_added_once(bare: Command) -> None:
    assert bare("operators", "add", "lead@example.org", "--role", "lead").code == 0
    assert "is an operator already" in bare("operators", "add", "LEAD@example.org").err
    assert json.loads(bare("operators", "list", "--json").out) == [
        {"email": "lead@example.org", "role": "lead"}
    ]


def test_events_are_listed(helixpost: Command) -> None:
    listed = json.loads(helixpost("events", "list", "--json").out)
    assert any("Faro" in event["place"] for event in listed)
    assert all(event["over"] for event in listed)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file that `init` is to write, in a folder with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "fresh.toml"


def _init(config: Path) -> tuple[str | Path, ...]:
    return ("init", "--operator", "lead@example.org", "--config", config)


def test_init_writes_settings_once_and_prepares_the_database(bare: Command, fresh: Path) -> None:
    assert bare(*_init(fresh)).code == 0
    assert fresh.stat().st_mode & 0o077 == 0
    assert "change-me" not in fresh.read_text(encoding="utf-8")
    assert "nothing is overwritten" in bare(*_init(fresh)).err
    assert bare("operators", "list", "--config", fresh).code == 0


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1:1/none",
        "postgresql://postgres@127.0.0.1:notaport/none",
        "sqlite:////proc/none/x.db",
        "sqlite:none.db",
    ],
)
def test_a_database_that_is_not_there_is_named(
    bare: Command, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HELIXPOST_DATABASE__URL", url)
    refused = bare("campaigns", "list")
    assert refused.code == 1
    assert re.match(r"helixpost: (\S+\.toml: )?\[database\] url: ", refused.err)
    assert "Traceback" not in refused.err


def test_brackets_in_a_name_are_words_and_no_styles(helixpost: Command, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("email,name\nana@example.org,Ana [/b] [red]Silva\n", encoding="utf-8")
    assert helixpost("subscribers", "import", file, "--consent", "I agree.").code == 0
    assert "Ana [/b] [red]Silva" in helixpost("subscribers", "show", "ana@example.org").out


@pytest.mark.parametrize("end", [b"x\xe8@example.org\n", b'"never@example.org\n'])
def test_a_file_that_breaks_off_late_is_refused_whole(helixpost: Command, tmp_path: Path, end: bytes) -> None:
    file = tmp_path / "readers.csv"
    rows = "".join(f"reader{number}@example.org\n" for number in range(1200))
    file.write_bytes(b"email\n" + rows.encode() + end)
    refused = helixpost("subscribers", "import", file, "--consent", "I agree.")
    assert (refused.code, "Traceback" in refused.err) == (1, False)
    assert helixpost("subscribers", "show", "reader0@example.org").code == 1


def test_a_pack_file_that_cannot_be_read_is_named(bare: Command, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree("content/intra", pack)
    (pack / "items" / "odd.en.md").mkdir()
    refused = bare("content", "import", pack)
    assert refused.code == 1
    assert "odd.en.md: cannot be read" in refused.err


def test_a_file_that_cannot_be_written_is_named(helixpost: Command, campaign: str, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "letter.eml"
    refused = helixpost("campaigns", "preview", campaign, "--for", "ana@example.org", "--out", target)
    assert (refused.code, "letter.eml: cannot be read or written" in refused.err) == (1, True)


def test_an_environment_list_that_is_not_json_is_named(
    bare: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIXPOST_RELAYS", "garbage")
    refused = bare("campaigns", "list")
    assert (refused.code, "HELIXPOST_RELAYS: " in refused.err) == (1, True)


def test_init_that_could_not_finish_can_be_run_again(
    bare: Command, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setenv("HELIXPOST_DATABASE__URL", "sqlite:////proc/none/x.db")
        assert bare(*_init(fresh)).code == 1
    assert not fresh.exists()
    assert bare(*_init(fresh)).code == 0
