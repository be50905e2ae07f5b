"""A small project: one country more than one partner needs, two events, a document, an item."""

from datetime import date, datetime

from domain.database import Database
from domain.events import Access, Event, Kind
from domain.items import Item, ItemText
from domain.languages import Language
from domain.projects import Document, Partner, Project, Role

SOURCE = {"title": "CAPITANK's page", "url": "https://example.org/intra"}


async def import_small(database: Database, now: datetime) -> None:
    """Put the project into the database."""
    async with database.transaction() as session:
        session.add(_project())
        session.add_all([_event("kick-off", 2016), _event("final-conference", 2020), *_partners()])
        session.add(
            Document(
                key="strategy",
                title={"en": "Knowledge Sharing Strategy"},
                about={"en": "How INTRA learns."},
                published="2016-09",
                pages=42,
                url="https://example.org/strategy",
            )
        )
        item = Item(key="lead-partner", topic="partners", changed_at=now, sources=[SOURCE])
        session.add(item)
        await session.flush()
        assert item.id is not None
        session.add(
            ItemText(item_id=item.id, language=Language.ENGLISH, title="Lead partner", body="It was *MDA*.")
        )


def _project() -> Project:
    return Project(
        id="intra",
        name="INTRA",
        title={"en": "Internationalisation of regional SMEs"},
        summary={"en": "Six regions learn from each other."},
        programme="Interreg Europe",
        period="2014-2020",
        starts_on=date(2016, 4, 1),
        ends_on=date(2021, 3, 31),
        lead_partner="mda",
        website="https://example.org/intra",
        funding_statement={"en": "Co-financed by the European Union."},
        disclaimer={"en": "Only the authors' views."},
        topics={"events": {"en": "Events"}, "policy": {"en": "Policy"}},
    )


def _event(key: str, year: int) -> Event:
    return Event(
        key=key,
        kind=Kind.MEETING,
        access=Access.PUBLIC,
        title={"en": key.replace("-", " ").capitalize()},
        place={"en": "Maribor, Slovenia"},
        summary={"en": "People met."},
        country="SI",
        starts_on=date(year, 5, 18),
        ends_on=date(year, 5, 19),
        sources=[SOURCE],
        as_of=date(2021, 3, 31),
    )


def _partners() -> list[Partner]:
    named = (("mda", "Maribor Development Agency", "SI"), ("capitank", "CAPITANK", "IT"))
    return [
        Partner(
            key=key,
            position=position,
            name=name,
            role=Role.LEAD if position == 0 else Role.COMMUNICATION,
            country=country,
            region={"en": "A region"},
            city={"en": "A city"},
            about={"en": "An agency."},
            sources=[SOURCE],
        )
        for position, (key, name, country) in enumerate(named)
    ]
