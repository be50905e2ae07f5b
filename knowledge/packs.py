"""Reads a project pack: a folder of TOML tables and Markdown items, checked as a whole."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from domain.errors import Invalid, Problems
from domain.languages import FALLBACK, Language
from knowledge import pack_checks
from knowledge.entries import (
    FEWEST_QUESTIONS,
    Document,
    Event,
    Item,
    ItemHead,
    ItemText,
    Pack,
    Partner,
    Project,
    Source,
    TranslationHead,
)
from knowledge.pack_checks import Placed
from knowledge.toml_texts import TomlText

TABLES: dict[str, type[BaseModel]] = {"partners": Partner, "events": Event, "documents": Document}
_FILES = {"project.toml", "sources.toml", *(f"{name}.toml" for name in TABLES)}
_ITEM_NAME = re.compile(r"(?P<id>[a-z0-9]+(?:-[a-z0-9]+)*)\.(?P<language>[^.]+)\.md")
_FENCE = "+++"
_BROKEN = Source.model_construct(title="", url="")


def read(folder: Path) -> Pack:
    """Return the pack of a folder; raises `Problems` with everything that is wrong, by file and line."""
    if not folder.is_dir():
        raise Problems([Invalid(str(folder), "there is no such folder; name a pack such as content/intra")])
    reading = _Reading(folder)
    pack = reading.pack()
    if reading.problems or pack is None:
        raise Problems(sorted(reading.problems, key=_by_place))
    return pack


def _by_place(problem: Invalid) -> tuple[str, int]:
    name, _, line = problem.field.rpartition(":")
    return (name, int(line)) if line.isdigit() else (problem.field, 0)


class _Reading:
    """One reading of a folder, with all that was found wrong so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Invalid] = []

    def pack(self) -> Pack | None:
        """Read every file; None when there is no usable project."""
        self._refuse_unknown_files()
        project = self._project()
        sources = self._sources()
        tables = {name: self._table(name, model) for name, model in TABLES.items()}
        items = self._items()
        self.problems += pack_checks.problems(project, sources.keys(), tables, items)
        if project is None or self.problems:
            return None
        return Pack(
            project=project.entry,
            sources=sources,
            items=tuple(item.entry for item in items),
            **{name: tuple(placed.entry for placed in found) for name, found in tables.items()},
        )

    def _refuse_unknown_files(self) -> None:
        for path in sorted(self.folder.iterdir()):
            if path.is_file() and path.suffix == ".toml" and path.name not in _FILES:
                reason = f"unknown file; a pack has {', '.join(sorted(_FILES))} and the folder items"
                self.problems.append(Invalid(f"{path.name}:1", reason))

    def _project(self) -> Placed[Project] | None:
        name = "project.toml"
        if not (self.folder / name).is_file():
            self.problems.append(Invalid(f"{name}:1", "the file is missing; every pack begins with it"))
            return None
        text = self._toml(name)
        entry = text and text.read(Project, text.data, (), self.problems)
        return Placed(entry, text, ()) if text and entry else None

    def _sources(self) -> dict[str, Source]:
        text = self._toml("sources.toml")
        found: dict[str, Source] = {}
        for key, data in (text.data if text else {}).items():
            assert text is not None
            # A broken source still counts as known: one mistake is reported once.
            found[key] = text.read(Source, data, (key,), self.problems) or _BROKEN
        return found

    def _table(self, name: str, model: type[BaseModel]) -> list[Placed[Any]]:
        text = self._toml(f"{name}.toml")
        if text is None:
            return []
        for key in text.data.keys() - {name}:
            self.problems.append(
                text.problem((key,), f"unknown key `{key}`; begin each entry with [[{name}]]")
            )
        rows = text.data.get(name, [])
        if not isinstance(rows, list):
            self.problems.append(text.problem((name,), f"`{name}` is not a list; write [[{name}]]"))
            return []
        return list(self._rows(text, name, model, rows))

    def _rows(
        self, text: TomlText, name: str, model: type[BaseModel], rows: list[Any]
    ) -> Iterable[Placed[Any]]:
        for number, row in enumerate(rows):
            entry = text.read(model, row, (name, number), self.problems)
            known = row.get("id", "") if isinstance(row, dict) else ""
            yield Placed(entry or model.model_construct(id=known), text, (name, number))

    def _toml(self, name: str) -> TomlText | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return TomlText(name, self._text(path, name))
        except Invalid as problem:
            self.problems.append(problem)
            return None

    def _text(self, path: Path, name: str) -> str:
        raw = path.read_bytes()
        try:
            return raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise Invalid(f"{name}:{line}", "a character is not UTF-8; save the file as UTF-8") from None

    def _items(self) -> list[Placed[Item]]:
        heads: dict[str, Placed[ItemHead]] = {}
        texts: dict[str, dict[Language, ItemText]] = {}
        folder = self.folder / "items"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            name = f"items/{path.name}"
            try:
                self._item(path, name, heads, texts)
            except Invalid as problem:
                self.problems.append(problem)
        for key in texts.keys() - heads.keys():
            if not (folder / f"{key}.{FALLBACK}.md").is_file():
                place = f"items/{key}.{next(iter(texts[key]))}.md:1"
                self.problems.append(Invalid(place, f"the English text is missing; add items/{key}.en.md"))
        return [_joined(key, head, texts[key]) for key, head in heads.items()]

    def _item(
        self,
        path: Path,
        name: str,
        heads: dict[str, Placed[ItemHead]],
        texts: dict[str, dict[Language, ItemText]],
    ) -> None:
        key, language = _name_of(path.name, name)
        texts.setdefault(key, {})
        front, body, body_line = _split(self._text(path, name), name)
        text = TomlText(name, front, first_line=2)
        if not body:
            self.problems.append(
                Invalid(f"{name}:{body_line}", "there is no text; write it below the second +++")
            )
        model = ItemHead if language is FALLBACK else TranslationHead
        head = text.read(model, text.data, (), self.problems)
        if head is None:
            return
        assert isinstance(head, ItemHead | TranslationHead)
        self._check_questions(text, head, language)
        if isinstance(head, ItemHead):
            heads[key] = Placed(head, text, ())
        texts[key][language] = ItemText(title=head.title, body=body, questions=head.questions, gaps=head.gaps)

    def _check_questions(self, text: TomlText, head: ItemHead | TranslationHead, language: Language) -> None:
        fewest = FEWEST_QUESTIONS if language is FALLBACK else 1
        if len(head.questions) < fewest:
            reason = f"it has {len(head.questions)} of at least {fewest} ways to ask; add more"
            self.problems.append(text.problem(("questions",), reason))


def _joined(key: str, head: Placed[ItemHead], texts: dict[Language, ItemText]) -> Placed[Item]:
    front = head.entry
    item = Item(
        id=key,
        topic=front.topic,
        as_of=front.as_of,
        sources=front.sources,
        references=front.references,
        texts=texts,
    )
    return Placed(item, head.text, ())


def _name_of(file_name: str, place: str) -> tuple[str, Language]:
    parts = _ITEM_NAME.fullmatch(file_name)
    if parts is None:
        raise Invalid(f"{place}:1", "not the name of an item; use small letters, as in total-budget.en.md")
    codes = [language.value for language in Language]
    if parts["language"] not in codes:
        raise Invalid(f"{place}:1", f"unknown language {parts['language']!r}; use one of {', '.join(codes)}")
    return parts["id"], Language(parts["language"])


def _split(text: str, name: str) -> tuple[str, str, int]:
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        raise Invalid(f"{name}:1", "the front matter is missing; begin the file with a line +++")
    for number, line in enumerate(lines[1:], start=2):
        if line.strip() == _FENCE:
            return "\n".join(lines[1 : number - 1]), "\n".join(lines[number:]).strip(), number
    raise Invalid(f"{name}:{len(lines)}", "the front matter does not end; add a second line +++")
