"""Soak: a long campaign under many kills on each database, and the table that shows what came of it.

`python -m tests.faults.soak --kills 20 --deliveries 5000`; exit code 1 when a promise is broken: a
letter lost, a second identity, sums that do not balance, more extra copies than kills × window.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.database import Database, DatabaseSettings
from domain.deliveries import Status
from tests.faults.copies import by_recipient
from tests.faults.nurseries import Nursery
from tests.faults.relays import Relay
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.stores import fresh

HEADS = ("database", "deliveries", "kills", "lost", "extra copies", "allowed", "most of one", "seconds")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does."""

    deliveries: int
    kills: int
    window: int
    seed: int

    @property
    def moments(self) -> Iterator[tuple[int, float]]:
        """After how many copies, and how many seconds later, each kill comes."""
        chance, share = random.Random(self.seed), self.deliveries // (self.kills + 1)
        for kill in range(self.kills):
            yield kill * share + chance.randrange(1, share), chance.uniform(0, 0.03)


async def soak(kind: str, plan: Plan, nursery: Nursery) -> tuple[object, ...]:
    """Send a campaign while the mailer is killed again and again; raises AssertionError, or returns a row."""
    folder, since = Path(tempfile.mkdtemp(prefix="helixpost-soak-")), time.monotonic()
    try:
        async with fresh(kind, folder) as url, Relay(path=folder / "copies.jsonl") as relay:
            database = Database(DatabaseSettings(url=url))
            rig = Rig(folder, database, url, relay, nursery)
            try:
                campaign = await _send(rig, plan)
                lost = await _check(rig, campaign, plan)
            finally:
                await rig.put_away()
                await database.close()
            copies = by_recipient(relay.copies)
            extra, most = len(relay.copies) - len(copies), max(len(all_of) for all_of in copies.values())
            seconds = round(time.monotonic() - since)
            return kind, plan.deliveries, plan.kills, lost, extra, plan.kills * plan.window, most, seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _send(rig: Rig, plan: Plan) -> int:
    await rig.prepare(f"reader+{number}" for number in range(plan.deliveries))
    campaign = await rig.schedule()
    for count, seconds in plan.moments:
        mailer = rig.start()
        await rig.received(count)
        await asyncio.sleep(seconds)
        mailer.kill()
        await mailer.gone()
        _say(f"killed after {len(rig.relay.copies)} copies")
    async with rig.running():
        await rig.sent(campaign)
    return campaign


async def _check(rig: Rig, campaign: int, plan: Plan) -> int:
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=plan.kills * plan.window)
    assert len(rows) == plan.deliveries
    assert {row.status for row in rows.values()} == {Status.SENT}
    assert (await rig.progress(campaign)).balanced
    return len(rows.keys() - by_recipient(rig.relay.copies).keys())


async def _soak_all(kinds: list[str], plan: Plan) -> int:
    nursery, broken = Nursery(), False
    rows: list[tuple[object, ...]] = [HEADS]
    try:
        for kind in kinds:
            _say(f"{kind}: {plan.deliveries} deliveries, {plan.kills} kills, seed {plan.seed}")
            try:
                rows.append(await soak(kind, plan, nursery))
            except AssertionError as failure:
                broken = True
                _say(f"{kind} BROKE A PROMISE: {failure}")
    finally:
        nursery.close()
    for row in rows:
        sys.stdout.write(" | ".join(f"{cell!s:>12}" for cell in row) + "\n")
    return int(broken)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--window", type=int, default=WINDOW, help="the window of the mailer's settings")
    parser.add_argument("--seed", type=int, default=20261124)
    given = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    plan = Plan(given.deliveries, given.kills, given.window, given.seed)
    return asyncio.run(_soak_all(kinds, plan))


if __name__ == "__main__":
    sys.exit(main())
