"""Campaign files: what a lead writes becomes a draft, and every mistake is named with its line."""

from pathlib import Path

import pytest

from domain.campaigns import Draft
from domain.errors import Invalid, Problems
from domain.helixes import HelixGroup
from domain.languages import Language
from domain.subscribers import Channel
from mailer import campaign_files

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates" / "email"
TOPICS = frozenset({"events", "policy"})
ENGLISH = """+++
subject = "Study visit in Faro: what we learnt"
preheader = "Three funding schemes, one voucher"
audience = { helix = ["business", "government"], countries = ["pt", "ES"], topics = ["events"] }
channels = ["email", "telegram"]
template = "newsletter"
+++

Dear {{ subscriber.first_name or "reader" }},

read [more]({{ archive_url }}).
"""
ITALIAN = """+++
subject = "Visita di studio a Faro"
+++
Buongiorno!
"""


def _read(folder: Path, **files: str) -> Draft:
    paths = []
    for language, text in files.items():
        paths.append(folder / f"faro.{language}.md")
        paths[-1].write_bytes(text.encode("utf-8", "surrogateescape"))
    return campaign_files.read(paths, topics=TOPICS, templates=TEMPLATES)


def test_files_become_one_draft_with_the_english_text_first(tmp_path: Path) -> None:
    draft = _read(tmp_path, it=ITALIAN, en=ENGLISH)
    assert (draft.name, draft.template) == ("faro", "newsletter")
    assert draft.audience.helix == [HelixGroup.BUSINESS, HelixGroup.GOVERNMENT]
    assert draft.audience.countries == ["PT", "ES"]
    assert draft.channels == (Channel.EMAIL, Channel.TELEGRAM)
    assert list(draft.texts) == [Language.ENGLISH, Language.ITALIAN]
    assert draft.texts[Language.ITALIAN].body == "Buongiorno!"


def test_the_hash_follows_the_content_and_nothing_else(tmp_path: Path) -> None:
    before = _read(tmp_path, en=ENGLISH, it=ITALIAN).content_hash
    assert _read(tmp_path, it=ITALIAN, en=ENGLISH.replace("\n", "\r\n")).content_hash == before
    assert _read(tmp_path, en=ENGLISH, it=ITALIAN.replace("!", ".")).content_hash != before


def test_the_demo_campaign_reads_in_all_six_languages() -> None:
    files = sorted((ROOT / "content" / "intra" / "campaigns").glob("*.md"))
    draft = campaign_files.read(files, topics=frozenset(), templates=TEMPLATES)
    assert set(draft.texts) == set(Language)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"Study visit in Faro: what we learnt"', "Study visit", 2, "not TOML"),
        ("+++\n\nDear", "+++x\n\nDear", 12, "not closed"),
        ("preheader", "pre_header", 3, "unknown key 'pre_header'"),
        ("subject", "title", 1, "subject is missing"),
        ("helix", "helices", 4, "unknown key 'audience.helices'"),
        ('"business"', '"shops"', 4, "audience.helix.0"),
        ('"pt"', '"Portugal"', 4, "ISO 3166"),
        ('"events"', '"sports"', 4, "unknown topic 'sports'; known are events, policy"),
        ('"telegram"]', '"fax"]', 5, "channels.1"),
        ('["email", "telegram"]', "[]", 5, "channels"),
        ('"newsletter"', '"confirm"', 6, "unknown template 'confirm'; known are digest, newsletter"),
        ("Study visit", r"Study\r\nBcc: b@example.org", 2, "U+000D cannot stand in a header"),
        ("Study visit", r"Study\u2028visit", 2, "U+2028"),
        ("Study visit", r"Study\u0000visit", 2, "U+0000"),
        ("Study visit", "=?utf-8?q?Hi=0D=0ABcc=3A_b@example.org?=", 2, "U+000D"),
        ("Study visit", "Study visit" * 20, 2, "longer than 150"),
        ("Study visit in Faro: what we learnt", " ", 2, "the subject is empty"),
        ("Study visit", "Study {{ subscriber.shoe }}", 2, "unknown field 'subscriber.shoe'"),
        ("subscriber.first_name", "subscriber.nickname", 9, "unknown field 'subscriber.nickname'"),
        ("subscriber.first_name", "subscriber", 9, "'subscriber' alone says nothing"),
        ("subscriber.first_name", "reader.name", 9, "unknown field 'reader.name'"),
        ("subscriber.first_name", "greeting", 9, "unknown field 'greeting'"),
        ("subscriber.first_name", "subscriber.name.x", 9, "unknown field"),
        ("subscriber.first_name or", "subscriber.first_name or or", 9, "expected token"),
        ("subscriber.first_name or", "subscriber.first_name | shout or", 9, "No filter named 'shout'"),
        ("subscriber.first_name or", "range(9) or", 9, "'call' is not allowed"),
        ("archive_url", "subscriber.name", 11, "a link begins with https://"),
        ("read [more]", "{% if subscriber.name %}read [more]", 11, "Unexpected end of template"),
        ("read [more]", "{% raw %}<script>{% endraw %}", 11, "'raw' is not allowed"),
        ("read [more]", "{% for x in project %}{% endfor %}", 11, "'for' is not allowed"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in ENGLISH
    broken = ENGLISH.replace(old, new, 1)
    with pytest.raises((Invalid, Problems)) as raised:
        _read(tmp_path, en=broken)
    assert f"{tmp_path / 'faro.en.md'}:{line}: " in str(raised.value)
    assert words in str(raised.value)


def test_mistakes_in_several_files_are_all_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Problems) as raised:
        _read(tmp_path, en=ENGLISH.replace("subject", "title"), it=ITALIAN.replace("+++\nB", "B"))
    text = str(raised.value)
    assert "faro.en.md:1: subject is missing" in text
    assert "faro.en.md:2: unknown key 'title'" in text
    assert "faro.it.md:4: the front matter is not closed" in text


def test_what_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"faro\.it\.md:4: this is not UTF-8"):
        _read(tmp_path, it=ITALIAN.replace("Buongiorno", "Perch\udce9"))


def test_a_byte_order_mark_is_forgiven(tmp_path: Path) -> None:
    assert _read(tmp_path, en=f"\ufeff{ENGLISH}").name == "faro"


def test_a_letter_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"faro\.it\.md:3: the letter's text is missing"):
        _read(tmp_path, it=ITALIAN.replace("Buongiorno!", " "))


def test_a_digest_writes_its_text_itself(tmp_path: Path) -> None:
    english = ENGLISH.replace('"newsletter"', '"digest"').partition("\n\nDear")[0]
    draft = _read(tmp_path, en=english, it=ITALIAN)
    assert draft.template == "digest"
    assert (draft.texts[Language.ENGLISH].body, draft.texts[Language.ITALIAN].body) == ("", "Buongiorno!")


@pytest.mark.parametrize("name", ["faro.md", "faro.de.md", "faro.pt-BR.md", ".en.md", "faro.en.txt"])
def test_a_name_without_one_of_our_languages_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(ENGLISH)
    with pytest.raises(Invalid, match=r":1: call the file NAME\.<language>\.md"):
        campaign_files.read([path], topics=TOPICS, templates=TEMPLATES)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"faro\.en\.md:1: the file cannot be read"):
        campaign_files.read([tmp_path / "faro.en.md"], topics=TOPICS, templates=TEMPLATES)


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(Invalid, match="at least one file"):
        campaign_files.read([], topics=TOPICS, templates=TEMPLATES)


def test_two_files_of_one_language_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [tmp_path / "faro.en.md", tmp_path / "other" / "faro.en.md"]
    for path in paths:
        path.write_text(ENGLISH)
    with pytest.raises(Invalid, match=r"other/faro\.en\.md:1: en is in .*faro\.en\.md too"):
        campaign_files.read(paths, topics=TOPICS, templates=TEMPLATES)


def test_files_of_two_campaigns_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "faro.en.md", tmp_path / "lisbon.it.md"]
    paths[0].write_text(ENGLISH)
    paths[1].write_text(ITALIAN)
    with pytest.raises(Invalid, match=r"lisbon\.it\.md:1: belongs to 'lisbon', not 'faro'"):
        campaign_files.read(paths, topics=TOPICS, templates=TEMPLATES)


def test_the_files_must_agree_on_what_they_share(tmp_path: Path) -> None:
    other = ITALIAN.replace("+++\nB", 'channels = ["email"]\n+++\nB')
    with pytest.raises(Invalid, match=r"faro\.it\.md:3: channels differs from .*faro\.en\.md:5"):
        _read(tmp_path, en=ENGLISH, it=other)
