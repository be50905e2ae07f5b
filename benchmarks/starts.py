"""Starts: one campaign's rows written into the ledger, or into a table without a key, in one transaction.

`python -m benchmarks.starts URL CAMPAIGN ledger|bare` prints how many there are and how long it took.
"""

import asyncio
import json
import sys
import time
from datetime import datetime

from sqlalchemy import Column, MetaData, Table, func, insert, literal, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from benchmarks import products
from domain import campaigns
from domain.columns import UtcDateTime
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery
from domain.subscribers import Subscriber
from domain.times import utc_now

_LETTER = {"subject": "s"}


async def _run(url: str, campaign: int, into: str) -> dict[str, float]:
    database, now = Database(DatabaseSettings(url=url)), utc_now()
    table = Delivery.metadata.tables["delivery"]
    bare = Table("bare", MetaData(), *(Column(column.name, column.type) for column in table.c))
    async with database.transaction() as session:
        await campaigns.schedule(session, campaign, now, products.ZONE, now)
        await (await session.connection()).run_sync(bare.create)
    began = time.monotonic()
    async with database.transaction() as session:
        await (_start(session, campaign, now) if into == "ledger" else _load(session, bare, campaign, now))
    seconds = time.monotonic() - began
    async with database.reading() as session:
        filled = table if into == "ledger" else bare
        rows = await (await session.connection()).scalar(select(func.count()).select_from(filled))
    await database.close()
    return {"rows": rows or 0, "seconds": seconds}


async def _start(session: AsyncSession, campaign: int, now: datetime) -> None:
    languages = await campaigns.variants(session, campaign)
    assert await campaigns.start(session, campaign, dict.fromkeys(languages, _LETTER), now)


async def _load(session: AsyncSession, bare: Table, campaign: int, now: datetime) -> None:
    values = {
        "campaign_id": literal(campaign),
        "subscriber_id": col(Subscriber.id),
        "channel": literal("email"),
        "language": col(Subscriber.language),
        "status": literal("queued"),
        "reason": literal(""),
        "attempts": literal(0),
        "refusals": literal(0),
        "due_at": literal(now, UtcDateTime),
    }
    rows = insert(bare).from_select(list(values), select(*values.values()))
    await (await session.connection()).execute(rows)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))))
