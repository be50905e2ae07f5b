from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, Problems
from domain.languages import Language
from knowledge import packs
from knowledge.toml_texts import TomlText

WritePack = Callable[..., Path]
INTRA = Path(__file__).parents[2] / "content" / "intra"
SAMPLE = Path(__file__).parent / "sample_pack"
PROJECT = (SAMPLE / "project.toml").read_text()
SOURCES = (SAMPLE / "sources.toml").read_text()
PARTNERS = (SAMPLE / "partners.toml").read_text()
EVENTS = (SAMPLE / "events.toml").read_text()
ITEM = (SAMPLE / "items" / "budget.en.md").read_text()
KNOWN_FACTS = [
    (1, 10), (20, 34), (40, 47), (50, 53), (60, 65), (70, 85), (90, 98), (100, 116),
    (120, 128), (130, 136), (140, 148), (150, 152), (160, 170), (180, 183),
]  # fmt: skip


def _problems(folder: Path) -> list[str]:
    with pytest.raises(Problems) as caught:
        packs.read(folder)
    return [str(problem) for problem in caught.value.problems]


def test_a_pack_without_mistakes_is_read(write_pack: WritePack) -> None:
    pack = packs.read(write_pack())
    assert pack.project.name == "DEMO"
    assert pack.events[0].place == {Language.ENGLISH: "Faro, Portugal"}
    assert pack.items[0].texts[Language.ENGLISH].body == "The budget is EUR 100."


def test_the_intra_pack_covers_every_fact() -> None:
    pack = packs.read(INTRA)
    covered = set(pack.project.references)
    for entries in (pack.partners, pack.events, pack.documents, pack.items):
        covered |= {reference for entry in entries for reference in entry.references}
    facts = {f"A-{number:03}" for first, last in KNOWN_FACTS for number in range(first, last + 1)}
    assert facts - covered == set()
    assert {reference for reference in covered if reference.startswith("A-")} - facts == set()


def test_the_intra_pack_has_no_event_on_the_day_of_the_registration_deadline() -> None:
    days = {event.starts_on and event.starts_on.isoformat() for event in packs.read(INTRA).events}
    assert "2020-09-28" not in days


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("project.toml", None, "project.toml:1: the file is missing"),
        (
            "project.toml",
            PROJECT.replace("name = ", "nmae = "),
            "project.toml:2: unknown key `nmae`; did you",
        ),
        ("project.toml", PROJECT.replace('"DEMO"', "DEMO"), "project.toml:2: invalid value; mend"),
        ("project.toml", PROJECT.replace("2024-01-01", "2024-13-01"), "project.toml:6: "),
        ("project.toml", PROJECT.replace("2028-12-31", "2023-12-31"), "`ends_on` is before `starts_on`"),
        ("project.toml", PROJECT.replace('"town"', '"city"'), "project.toml:8: unknown partner 'city'"),
        (
            "project.toml",
            PROJECT.replace("summary.en", "summary.xx"),
            "project.toml:9: language cannot be 'xx'",
        ),
        (
            "project.toml",
            PROJECT + '[[topics]]\nid = "a"\nlabel = { en = "A", sl = "A" }\n',
            "project.toml:14: `topics.label`: subscribers see it in every language; add bg, es, pt, it",
        ),
        (
            "sources.toml",
            SOURCES.replace("https://", "www."),
            "sources.toml:3: `url`: 'www.example.org/' is not",
        ),
        (
            "partners.toml",
            PARTNERS.replace('"PT"', '"Portugal"'),
            "partners.toml:5: `country`: 'Portugal' is",
        ),
        (
            "partners.toml",
            PARTNERS.replace('"lead"', '"boss"'),
            "partners.toml:4: `role` cannot be 'boss'; use",
        ),
        ("partners.toml", PARTNERS.replace("about.en", "about.sl"), "partners.toml:8: `about`: the English"),
        (
            "partners.toml",
            PARTNERS.replace('["site"]', '["sight"]'),
            "partners.toml:9: unknown source 'sight'",
        ),
        (
            "events.toml",
            EVENTS.replace('["town"]', '["village"]'),
            "events.toml:9: unknown partner 'village'",
        ),
        ("events.toml", EVENTS.replace("2024-02-01", '"soon"'), "events.toml:8: `starts_on` is not a date"),
        ("events.toml", EVENTS + EVENTS, "events.toml:13: the id 'start' occurs twice"),
        ("events.toml", EVENTS + 'when = "2024"\n', "both `starts_on` and `when`"),
        ("events.toml", EVENTS.replace("[[events]]", "[[event]]"), "events.toml:1: unknown key `event`"),
        (
            "events.toml",
            EVENTS.replace("title.en", "# title.en"),
            "events.toml:1: `title` is missing; add it",
        ),
        ("evnets.toml", "", "evnets.toml:1: unknown file"),
        (
            "items/budget.en.md",
            ITEM.replace('  "budget",\n', ""),
            "items/budget.en.md:6: it has 2 of at least 3",
        ),
        (
            "items/budget.en.md",
            ITEM.replace("topic", "tpoic"),
            "items/budget.en.md:3: unknown key `tpoic`; did",
        ),
        (
            "items/budget.en.md",
            ITEM.replace('"site"', '"sight"'),
            "items/budget.en.md:4: unknown source 'sight'",
        ),
        (
            "items/budget.en.md",
            ITEM.replace('"The budget"', "1"),
            "items/budget.en.md:2: `title`: input should",
        ),
        (
            "items/budget.en.md",
            ITEM.replace("The budget is EUR 100.", ""),
            "items/budget.en.md:11: there is no",
        ),
        ("items/budget.en.md", ITEM[4:], "items/budget.en.md:1: the front matter is missing"),
        ("items/budget.en.md", ITEM.replace("]\n+++", "]\n"), "the front matter does not end"),
        ("items/budget.en.md", ITEM.replace('The budget"', "The budget"), "items/budget.en.md:2: "),
        ("items/budget.xx.md", ITEM, "items/budget.xx.md:1: unknown language 'xx'"),
        ("items/Budget two.md", ITEM, "items/Budget two.md:1: not the name of an item"),
        (
            "items/other.sl.md",
            '+++\ntitle = "A"\nquestions = ["B"]\n+++\nC',
            "items/other.sl.md:1: the English text is missing; add items/other.en.md",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_cure(
    write_pack: WritePack, file: str, text: str | None, expected: str
) -> None:
    problems = _problems(write_pack(**{file: text}))
    assert [problem for problem in problems if expected in problem]
    assert len(problems) <= 2, "a misspelt key is unknown, and the right one is missing: nothing more"


def test_every_mistake_is_reported_at_once_in_the_order_of_the_files(write_pack: WritePack) -> None:
    folder = write_pack(
        **{
            "events.toml": EVENTS.replace('"public"', '"open"').replace('"PT"', '"Portugal"'),
            "items/budget.en.md": ITEM.replace('"site"', '"sight"'),
            "sources.toml": SOURCES.replace("url", "link"),
        }
    )
    places = [problem.split(": ")[0] for problem in _problems(folder)]
    assert places == [
        "events.toml:4",
        "events.toml:7",
        "items/budget.en.md:4",
        "sources.toml:1",
        "sources.toml:3",
    ]


def test_a_file_that_is_not_utf_8_is_named_with_its_line(write_pack: WritePack) -> None:
    folder = write_pack()
    (folder / "sources.toml").write_bytes('[site]\ntitle = "Câmara"\n'.encode("latin-1"))
    problems = _problems(folder)
    assert problems[-1].startswith("sources.toml:2: a character is not UTF-8; save the file as UTF-8")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert "there is no such folder" in _problems(tmp_path / "nowhere")[0]


def test_windows_line_ends_and_a_byte_order_mark_are_accepted(write_pack: WritePack) -> None:
    folder = write_pack()
    for path in folder.rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert packs.read(folder) == packs.read(write_pack())


@given(st.text(max_size=300))
def test_any_text_is_either_toml_or_one_problem_with_a_line(text: str) -> None:
    try:
        parsed = TomlText("a.toml", text)
    except Invalid as caught:
        place = caught.field
    else:
        place = parsed.problem(("any", 1, "key"), "").field
    assert place.startswith("a.toml:")
    assert int(place.removeprefix("a.toml:")) >= 1


def test_the_examples_of_the_handbook_are_a_pack_without_mistakes(tmp_path: Path) -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "content-pack.md").read_text(encoding="utf-8")
    for section in handbook.split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        if heading.startswith("`"):
            (tmp_path / heading.strip("`")).write_text(
                text.split("```toml\n")[1].split("```")[0], encoding="utf-8"
            )
    item = handbook.split("## An item")[1].split("```\n")[1]
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "total-budget.en.md").write_text(item, encoding="utf-8")
    pack = packs.read(tmp_path)
    assert (len(pack.partners), len(pack.events), len(pack.documents), len(pack.items)) == (1, 1, 1, 1)
    assert pack.items[0].texts[Language.ENGLISH].gaps
