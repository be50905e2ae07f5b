"""Brings a pack into the database: adds, changes and retires, and does nothing the second time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.events import Event
from domain.items import Item, ItemText, Phrasing
from domain.projects import Document, Partner, Project
from knowledge import entries
from knowledge.entries import Pack, Source

KINDS = ("project", "partner", "event", "document", "item")
Row = TypeVar("Row", Partner, Event, Document, Item)
R = TypeVar("R")
Values = dict[str, Any]


@dataclass
class Changes:
    """What became of one kind of entry, by key."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True)
class Report:
    """What an import did, per kind."""

    kinds: Mapping[str, Changes]

    @property
    def changed_nothing(self) -> bool:
        """Whether the database held all of it already."""
        return not any(kind.added or kind.changed or kind.retired for kind in self.kinds.values())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return the report for scripts: per kind the keys added, changed, retired, and a count."""
        return {name: vars(changes) for name, changes in self.kinds.items()}

    def __str__(self) -> str:
        """Return the report as people read it, one line per kind and one per change."""
        return "\n".join(line for name, changes in self.kinds.items() for line in _lines(name, changes))


async def import_pack(session: AsyncSession, pack: Pack, now: datetime) -> Report:
    """Make the database say what the pack says; importing the same pack again changes nothing.

    What left the pack is retired, not deleted, and comes back if the pack names it again. Items and
    events that people wrote in the service itself carry no fingerprint and are left alone.
    """
    report = Report({kind: Changes() for kind in KINDS})
    sources = pack.sources
    await _import_project(session, pack.project, report.kinds["project"])
    partners = {
        entry.id: {"position": position, **_partner(entry, sources)}
        for position, entry in enumerate(pack.partners, start=1)
    }
    tables: list[tuple[type[Any], str, dict[str, Values]]] = [
        (Partner, "partner", partners),
        (Event, "event", {entry.id: _event(entry, sources) for entry in pack.events}),
        (Document, "document", {entry.id: _document(entry, sources) for entry in pack.documents}),
    ]
    for table, kind, values in tables:
        await _import_rows(session, table, values, report.kinds[kind], now)
    await _import_items(session, pack, report.kinds["item"], now)
    await session.flush()
    return report


def _lines(name: str, changes: Changes) -> Iterable[str]:
    yield (
        f"{name}: {len(changes.added)} added, {len(changes.changed)} changed, "
        f"{len(changes.retired)} retired, {changes.unchanged} unchanged"
    )
    for verb in ("added", "changed", "retired"):
        yield from (f"  {verb} {key}" for key in getattr(changes, verb))


async def _import_project(session: AsyncSession, entry: entries.Project, changes: Changes) -> None:
    values = _project(entry)
    print_ = fingerprint(values)
    for other in (await session.exec(select(Project).where(col(Project.id) != entry.id))).all():
        # The service speaks for one project: another pack takes the place of the one before it.
        await session.delete(other)
        changes.retired.append(other.id)
    known = await session.get(Project, entry.id)
    if known is None:
        session.add(Project(id=entry.id, fingerprint=print_, **values))
        changes.added.append(entry.id)
    elif known.fingerprint != print_:
        _written(known, {**values, "fingerprint": print_})
        changes.changed.append(entry.id)
    else:
        changes.unchanged += 1


async def _import_rows(
    session: AsyncSession, table: type[Row], wanted: Mapping[str, Values], changes: Changes, now: datetime
) -> dict[str, Row]:
    """Bring one table to what is wanted; return the rows that were added or changed, by key."""
    known = {row.key: row for row in (await session.exec(select(table))).all()}
    touched: dict[str, Row] = {}
    for key, values in wanted.items():
        print_ = fingerprint(values)
        row = known.pop(key, None)
        if row is not None and row.fingerprint == print_ and row.retired_at is None:
            changes.unchanged += 1
            continue
        (changes.added if row is None else changes.changed).append(key)
        columns = {name: value for name, value in values.items() if name in table.model_fields}
        columns |= {"fingerprint": print_, "retired_at": None}
        if "added_at" in table.model_fields and (row is None or row.retired_at is not None):
            columns["added_at"] = now
        touched[key] = _written(row, columns) if row is not None else table(key=key, **columns)
        session.add(touched[key])
    for key, row in known.items():
        if row.fingerprint and row.retired_at is None:
            row.retired_at = now
            changes.retired.append(key)
            touched[key] = row
    return touched


async def _import_items(session: AsyncSession, pack: Pack, changes: Changes, now: datetime) -> None:
    newest = (await session.exec(select(func.max(Item.changed_at)))).one()
    # The index looks at the newest change: it must move even where the clock stands still.
    moment = now if newest is None or newest < now else newest + timedelta(microseconds=1)
    wanted = {entry.id: _item(entry, pack.sources) for entry in pack.items}
    touched = await _import_rows(session, Item, wanted, changes, now)
    for row in touched.values():
        row.changed_at = moment
    await session.flush()
    written = [entry for entry in pack.items if entry.id in touched]
    numbers = [touched[entry.id].id for entry in written]
    await session.exec(delete(ItemText).where(col(ItemText.item_id).in_(numbers)))
    await session.exec(delete(Phrasing).where(col(Phrasing.item_id).in_(numbers)))
    for entry, number in zip(written, numbers, strict=True):
        assert number is not None
        session.add_all(_texts(entry, number))


def _texts(entry: entries.Item, number: int) -> Iterable[ItemText | Phrasing]:
    for language, text in entry.texts.items():
        yield ItemText(item_id=number, language=language, title=text.title, body=text.body)
        for question in text.questions:
            yield Phrasing(item_id=number, language=language, text=question)
        for question in text.gaps:
            yield Phrasing(item_id=number, language=language, text=question, gap=True)


def _written(row: R, values: Values) -> R:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def fingerprint(values: Values) -> str:
    """Return a mark that is the same for the same values: SHA-256 of their canonical JSON."""
    canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return sha256(canonical.encode()).hexdigest()


def _plain(entry: BaseModel, *fields: str) -> Values:
    """Return fields with languages as plain words and tuples as lists, as JSON columns keep them."""
    dumped = entry.model_dump(mode="json", include=set(fields))
    return {name: dumped[name] for name in fields}


def _sources(keys: Iterable[str], sources: Mapping[str, Source]) -> list[dict[str, str]]:
    return [{"title": sources[key].title, "url": sources[key].url} for key in keys]


def _project(entry: entries.Project) -> Values:
    return {
        **_plain(entry, "name", "title", "summary", "programme", "period", "reference"),
        **_plain(entry, "lead_partner", "funding_statement", "disclaimer", "references"),
        "communication_partner": entry.communication_partner or "",
        "website": entry.website or "",
        "starts_on": entry.starts_on,
        "ends_on": entry.ends_on,
        "topics": {topic.id: _plain(topic, "label")["label"] for topic in entry.topics},
        "branding": _plain(entry.branding, "primary", "accent"),
        "emblem_note": _plain(entry.branding, "emblem_note")["emblem_note"] or {},
    }


def _partner(entry: entries.Partner, sources: Mapping[str, Source]) -> Values:
    return {
        **_plain(entry, "name", "other_names", "country", "region", "city", "about", "references"),
        "role": entry.role,
        "as_of": entry.as_of,
        "sources": _sources(entry.sources, sources),
    }


def _event(entry: entries.Event, sources: Mapping[str, Source]) -> Values:
    return {
        **_plain(entry, "title", "place", "summary", "country", "partners", "references"),
        "kind": entry.kind,
        "access": entry.access,
        "starts_on": entry.starts_on,
        "ends_on": entry.ends_on,
        "period": entry.when,
        "as_of": entry.as_of,
        "sources": _sources(entry.sources, sources),
    }


def _document(entry: entries.Document, sources: Mapping[str, Source]) -> Values:
    return {
        **_plain(entry, "title", "about", "published", "pages", "language", "url", "references"),
        "sources": _sources(entry.sources, sources),
    }


def _item(entry: entries.Item, sources: Mapping[str, Source]) -> Values:
    return {
        **_plain(entry, "topic", "references", "texts"),
        "as_of": entry.as_of,
        "sources": _sources(entry.sources, sources),
    }
