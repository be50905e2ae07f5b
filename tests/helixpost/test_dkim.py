"""From `dkim generate` to a letter that verifies against the record it printed."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest

from helixpost import settings
from mailer import signatures
from tests.helixpost.conftest import Command

GENERATE = ("dkim", "generate", "--domain", "Example.org", "--selector", "helix1")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No database is asked here, so one kind is enough and it need not exist."""
    return f"sqlite:///{tmp_path}/none.db"


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _paste(text: str) -> None:
    with Path("config.toml").open("a", encoding="utf-8") as config:
        config.write(text)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
async def test_a_letter_verifies_against_the_printed_record(bare: Command, kind: str) -> None:
    made = bare(*GENERATE, "--kind", kind)
    assert made.code == 0, made.err
    assert Path("var/dkim/helix1.example.org.pem").stat().st_mode & 0o777 == 0o600
    _paste(made.out[made.out.index("[[dkim]]") :])
    zone = re.search(r"^zone +(\S+) IN TXT (.*)$", made.out, re.MULTILINE)
    assert zone is not None
    records = {zone[1]: "".join(re.findall(r'"([^"]*)"', zone[2]))}

    signers = signatures.open_signers(settings.read(Path("config.toml")).dkim, "example.org")
    headers = [("From", "INTRA <news@example.org>"), ("Subject", "News")]
    signed = await signers.sign(headers, b"Hello.\r\n", datetime(2026, 1, 2, tzinfo=UTC))
    signers.close()
    letter = signed + b"From: INTRA <news@example.org>\r\nSubject: News\r\n\r\nHello.\r\n"

    def look_up(name: bytes, timeout: int) -> str:
        return records[name.decode()]

    assert dkim.verify(letter, dnsfunc=look_up)


def test_the_record_can_be_shown_again(bare: Command) -> None:
    made = json.loads(bare(*GENERATE, "--out", "keys/a.pem", "--json").out)
    assert bare("dkim", "show", "--json").out.strip() == "[]"
    assert "helixpost dkim generate" in bare("dkim", "show").out
    _paste(made.pop("settings"))
    assert json.loads(bare("dkim", "show", "--json").out) == [made]
    shown = bare("dkim", "show").out
    for word in ("name", "value", "zone"):
        assert f"{word} " in shown
        assert made[word] in shown


def test_no_key_is_overwritten(bare: Command) -> None:
    assert bare(*GENERATE).code == 0
    again = bare(*GENERATE)
    assert (again.code, again.out) == (1, "")
    assert "helix1.example.org.pem: this file exists; move it away first, nothing is overwritten" in again.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--domain", "exa mple", "--selector", "a"), "--domain: not a domain; write what follows the @"),
        (("--domain", "example.org", "--selector", "a_b"), "--selector: use up to 63 letters"),
        (("--domain", "example.org", "--selector", "a", "--out", "."), "this file exists"),
        (("--domain", "example.org", "--selector", "a", "--out", "config.toml/a"), "config.toml: cannot be"),
    ],
)
def test_words_that_cannot_be_right_are_refused(bare: Command, words: tuple[str, ...], message: str) -> None:
    refused = bare("dkim", "generate", *words)
    assert (refused.code, refused.out) == (1, "")
    assert message in refused.err


def test_a_section_without_its_key_is_named(bare: Command) -> None:
    _paste('[[dkim]]\ndomain = "example.org"\nselector = "helix1"\nkey = "none.pem"\n')
    refused = bare("dkim", "show")
    assert refused.code == 1
    assert "[[dkim]] helix1 of example.org: key: there is no file none.pem" in refused.err


def test_a_section_that_is_not_right_is_named_by_its_key(bare: Command) -> None:
    _paste('[[dkim]]\ndomain = "example.org"\nselector = "a b"\nkey = "none.pem"\n')
    assert "[dkim] 0.selector: use up to 63 letters" in bare("dkim", "show").err
