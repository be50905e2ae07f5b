from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from domain import events, items, projects
from domain.database import Database
from domain.items import Item, ItemText
from domain.languages import Language
from knowledge import packs
from knowledge.imports import Changes, Report, import_pack

WritePack = Callable[..., Path]
INTRA = Path(__file__).parents[2] / "content" / "intra"
DAY = timedelta(days=1)
SAMPLE = Path(__file__).parent / "sample_pack"
PROJECT = (SAMPLE / "project.toml").read_text()
EVENTS = (SAMPLE / "events.toml").read_text()
ITEM = (SAMPLE / "items" / "budget.en.md").read_text()


async def _import(database: Database, folder: Path, now: datetime) -> Report:
    async with database.transaction() as session:
        return await import_pack(session, packs.read(folder), now)


async def test_the_intra_pack_arrives_whole_and_a_second_time_changes_nothing(
    database: Database, now: datetime
) -> None:
    pack = packs.read(INTRA)
    first = await _import(database, INTRA, now)
    assert len(first.kinds["item"].added) == len(pack.items)
    assert len(first.kinds["event"].added) == len(pack.events)
    async with database.reading() as session:
        before = await items.version(session)
        assert len(await items.listing(session)) == len(pack.items)
        assert next(partner.key for partner in await projects.partners(session)) == "mda"
        assert (await projects.get(session)).topics.keys() == {topic.id for topic in pack.project.topics}
    second = await _import(database, INTRA, now)
    assert second.changed_nothing
    assert second.kinds["item"].unchanged == len(pack.items)
    async with database.reading() as session:
        assert await items.version(session) == before


async def test_a_changed_item_is_the_only_change_and_makes_the_index_old(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    await _import(database, write_pack(), now)
    async with database.reading() as session:
        before = await items.version(session)
    report = await _import(database, write_pack(**{"items/budget.en.md": ITEM.replace("100", "200")}), now)
    assert report.kinds["item"].changed == ["budget"]
    assert sum(kind.unchanged for kind in report.kinds.values()) == 3
    async with database.reading() as session:
        assert await items.version(session) != before
        (known,) = await items.listing(session)
        assert known.texts[Language.ENGLISH].body == "The budget is EUR 200."
        assert len(known.phrasings[Language.ENGLISH]) == 3


async def test_what_left_the_pack_is_retired_and_comes_back_with_it(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    await _import(database, write_pack(), now)
    report = await _import(database, write_pack(**{"items/budget.en.md": None, "events.toml": None}), now)
    assert (report.kinds["item"].retired, report.kinds["event"].retired) == (["budget"], ["start"])
    async with database.reading() as session:
        assert await items.listing(session) == []
        assert await events.listing(session) == []
    again = await _import(database, write_pack(), now)
    assert again.kinds["item"].changed == ["budget"]
    async with database.reading() as session:
        assert [known.item.key for known in await items.listing(session)] == ["budget"]


async def test_when_an_event_was_added_is_kept_through_changes_and_begins_anew_when_it_returns(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    async def added_at() -> datetime | None:
        async with database.reading() as session:
            [event] = await events.listing(session)
        return event.added_at

    await _import(database, write_pack(), now)
    assert await added_at() == now
    await _import(database, write_pack(**{"events.toml": EVENTS.replace("The start", "Start")}), now + DAY)
    assert await added_at() == now
    await _import(database, write_pack(**{"events.toml": None}), now + 2 * DAY)
    await _import(database, write_pack(), now + 3 * DAY)
    assert await added_at() == now + 3 * DAY


async def test_an_item_written_in_the_service_is_left_alone(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    async with database.transaction() as session:
        session.add(written := Item(key="by-hand", topic="money", changed_at=now))
        await session.flush()
        assert written.id is not None
        session.add(ItemText(item_id=written.id, language=Language.ENGLISH, title="A", body="B"))
    report = await _import(database, write_pack(), now)
    assert report.kinds["item"].retired == []
    async with database.reading() as session:
        assert [known.item.key for known in await items.listing(session)] == ["budget", "by-hand"]


async def test_another_project_takes_the_place_of_the_one_before(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    await _import(database, write_pack(), now)
    report = await _import(database, write_pack(**{"project.toml": PROJECT.replace('"demo"', '"next"')}), now)
    assert (report.kinds["project"].added, report.kinds["project"].retired) == (["next"], ["demo"])
    async with database.reading() as session:
        assert (await projects.get(session)).id == "next"


async def test_an_event_without_any_date_is_known_and_never_to_come(
    database: Database, now: datetime, write_pack: WritePack
) -> None:
    undated = EVENTS.replace("starts_on = 2024-02-01\n", "").replace('country = "PT"\n', "")
    await _import(database, write_pack(**{"events.toml": undated}), now)
    async with database.reading() as session:
        assert await events.upcoming(session, now.date()) == []
        assert [event.key for event in await events.past(session, now.date())] == ["start"]


def test_the_report_reads_as_lines_and_as_values() -> None:
    report = Report({"item": Changes(added=["budget"])})
    assert str(report) == "item: 1 added, 0 changed, 0 retired, 0 unchanged\n  added budget"
    assert report.as_dict() == {"item": {"added": ["budget"], "changed": [], "retired": [], "unchanged": 0}}
