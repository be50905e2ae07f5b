"""Organisations are one to a name, also when several people name a new one at once."""

import asyncio

from domain import organisations
from domain.database import Database
from domain.helixes import HelixGroup, TargetGroup


async def test_two_people_may_name_the_same_new_organisation_at_once(database: Database) -> None:
    async def name_it(name: str) -> int | None:
        async with database.transaction() as session:
            found = await organisations.find_or_add(session, name, TargetGroup.SME, HelixGroup.BUSINESS)
            return found.id if found else None

    found = await asyncio.gather(*(name_it(name) for name in ("CAPITANK", "Capitank", " capitank ") * 3))

    assert len(set(found)) == 1
    assert None not in found


async def test_a_form_does_not_change_the_groups_of_a_known_organisation(database: Database) -> None:
    async with database.transaction() as session:
        await organisations.find_or_add(session, "CAPITANK", TargetGroup.SME, HelixGroup.BUSINESS)
        again = await organisations.find_or_add(session, "Capitank", TargetGroup.OTHER, None)
    assert again is not None
    assert (again.name, again.target_group) == ("CAPITANK", TargetGroup.SME)
