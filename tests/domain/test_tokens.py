"""Links end in their time, and what was sent still counts for the day."""

from datetime import datetime, timedelta

from sqlmodel import select

from domain import tokens
from domain.database import Database
from domain.tokens import Purpose, Token


async def test_an_expired_token_is_emptied_at_once_and_deleted_when_its_day_is_over(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        payload = {"subscriber_id": 1}
        await tokens.issue(session, Purpose.PREFERENCES, address_hash="a", payload=payload, now=now)
    later = now + timedelta(hours=3)
    async with database.transaction() as session:
        assert await tokens.forget_expired(session, later) == 0
    async with database.transaction() as session:
        assert (await session.exec(select(Token))).one().payload == {}
        assert await tokens.count_of_day(session, "a", later) == 1
        assert await tokens.count_of_day(session, "a", now + timedelta(days=1)) == 0
        assert await tokens.forget_expired(session, now + timedelta(days=1)) == 1


async def test_a_token_that_is_still_good_keeps_what_it_carries(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        payload = {"email": "ana@example.org"}
        secret = await tokens.issue(session, Purpose.CONFIRM, address_hash="a", payload=payload, now=now)
        assert await tokens.forget_expired(session, now + timedelta(days=6)) == 0
        found = await tokens.find(session, Purpose.CONFIRM, secret, now + timedelta(days=6))
    assert found is not None
    assert found.payload == payload
