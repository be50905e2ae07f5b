"""Checks across the files of a pack: names that must exist, and names that must be unique."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.errors import Invalid
from knowledge.entries import Item, Project
from knowledge.toml_texts import Path, TomlText, repeated

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Placed(Generic[E]):
    """An entry and where it stands, for messages."""

    entry: E
    text: TomlText
    way: Path

    def problem(self, key: str, reason: str) -> Invalid:
        """Return what is wrong with one of the entry's keys."""
        return self.text.problem((*self.way, key), reason)


def problems(
    project: Placed[Project] | None,
    sources: Collection[str],
    tables: Mapping[str, Sequence[Placed[Any]]],
    items: Sequence[Placed[Item]],
) -> list[Invalid]:
    """Return everything that only shows when the files are read together.

    Entries that were broken by themselves carry only their id, and are otherwise passed over.
    """
    partners = {placed.entry.id for placed in tables["partners"]}
    found = [problem for rows in tables.values() for problem in _doubles(rows)]
    for rows in (*tables.values(), items):
        found += [problem for placed in rows for problem in _unknown_sources(placed, sources)]
    for placed in tables["events"]:
        found += _unknown_partners(placed, partners)
    if project is not None:
        found += _of_project(project, partners)
    return found


def _doubles(rows: Sequence[Placed[Any]]) -> Iterator[Invalid]:
    seen: set[str] = set()
    for placed in rows:
        key = placed.entry.id
        if key and key in seen:
            yield placed.problem("id", f"the id {key!r} occurs twice; give each entry its own")
        seen.add(key)


def _unknown_sources(placed: Placed[Any], sources: Collection[str]) -> Iterator[Invalid]:
    for key in getattr(placed.entry, "sources", ()):
        if key not in sources:
            yield placed.problem("sources", f"unknown source {key!r}; add it to sources.toml")


def _unknown_partners(placed: Placed[Any], partners: Collection[str]) -> Iterator[Invalid]:
    for key in getattr(placed.entry, "partners", ()):
        if key not in partners:
            yield placed.problem("partners", f"unknown partner {key!r}; use an id from partners.toml")


def _of_project(project: Placed[Project], partners: Collection[str]) -> Iterator[Invalid]:
    for field in ("lead_partner", "communication_partner"):
        key = getattr(project.entry, field)
        if key and key not in partners:
            yield project.problem(field, f"unknown partner {key!r}; use an id from partners.toml")
    for key in repeated([topic.id for topic in project.entry.topics]):
        yield project.problem("topics", f"the topic {key!r} occurs twice; give each topic its own id")
