"""Organisations that subscribers stand for: they carry the target group that reports count by."""

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import word_of
from domain.database import add_if_new
from domain.helixes import HelixGroup, TargetGroup


class Organisation(SQLModel, table=True):
    """Whom a subscriber stands for."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(unique=True)
    target_group: TargetGroup | None = Field(default=None, sa_type=word_of(TargetGroup))
    helix_group: HelixGroup | None = Field(default=None, sa_type=word_of(HelixGroup))


async def find_or_add(
    session: AsyncSession, name: str, target_group: TargetGroup | None, helix_group: HelixGroup | None
) -> Organisation | None:
    """Return the organisation of that name, added when new; None for an empty name.

    An organisation that is already known keeps its groups: the lead corrects them, a form does not.
    """
    name = " ".join(name.split())
    if not name:
        return None
    key = name.casefold()
    query = select(Organisation).where(col(Organisation.name_key) == key)
    if known := (await session.exec(query)).first():
        return known
    values = {"name": name, "name_key": key, "target_group": target_group, "helix_group": helix_group}
    await add_if_new(session, Organisation, values)
    return (await session.exec(query)).one()
