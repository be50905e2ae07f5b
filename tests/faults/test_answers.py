"""Every class of answer at every moment: what the ledger makes of it, and that nobody else is hurt."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from domain.deliveries import Delivery, Status
from tests.faults.copies import by_recipient
from tests.faults.relays import Offers
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import PARTS, name_of

SOON = timedelta(seconds=20)
"""Every back-off is longer."""
GOOD_PER_BAD = 2
HOLDS_CAMPAIGN = {name for name in PARTS if "5.7" in name}
DISORDERLY = {name for name in PARTS if name.startswith(("garbage", "endless", "twice", "250", "354"))}
"""Nothing that such a relay says afterwards is believed, so the letters behind go again at once."""
FAILS = {name for name in PARTS if name.startswith(("55", "long-refusal"))}
IN_DOUBT = {
    "drop-in-body",
    "drop-at-end",
    "drop-when-kept",
    "silent-at-end",
    "garbage-at-end",
    "half-at-end",
    "endless-at-end",
    "354-at-end",
}
MAY_BE_IN_DOUBT = {"drop-at-data", "silent-at-data", "garbage-at-data", "250-at-data", "twice-at-rcpt"}
"""Without PIPELINING a library speaks, which does not tell the answer to DATA from that to the letter."""
MAY_BE_TRIED_AGAIN_AT_ONCE = {
    "drop-at-rcpt",
    "garbage-at-rcpt",
    "half-at-rcpt",
    "endless-at-rcpt",
    "endless-lines-at-rcpt",
    "silent-at-rcpt",
    *MAY_BE_IN_DOUBT,
}
"""The letter was certainly not taken, so a new connection may offer it without waiting."""
ARRIVES = {"good", "slow", "dribble", "many-lines", "long", "twice-at-end", "421-after-end"}

IMPATIENCE = {
    "mailer.pipelines.COMMAND_TIMEOUT": 1.0,
    "mailer.pipelines.DATA_TIMEOUT": 1.0,
    "mailer.pipelines._LOOK": 0.2,
    "mailer.smtp.COMMAND_TIMEOUT": 1.0,
    "mailer.smtp.DATA_TIMEOUT": 1.0,
}
REASONS = {"long-refusal": "550 5.1.1", "550-and-hangs-up": "550 5.1.1"}

MANNERS = {
    "unpipelined": Offers(pipelining=False),
    "pipelined": Offers(),
    "pipelined, 354 for nobody": Offers(takes_data_for_nobody=True),
}


def _cast(parts: set[str]) -> Iterator[str]:
    """Return the readers: each bad one between good ones, the silent last."""
    for number, name in enumerate(sorted(parts, key=lambda name: (name.startswith("silent"), name))):
        yield f"{name}+{number}"
        for good in range(GOOD_PER_BAD):
            yield f"good+{number}.{good}"


def _reason(name: str) -> str:
    """Return what the reason names: the relay's code, or that a copy may have arrived."""
    if name in IN_DOUBT:
        return "in_doubt"
    if name in MAY_BE_TRIED_AGAIN_AT_ONCE or not (code := name.partition("-at-")[0])[0].isdigit():
        return ""
    return REASONS.get(name) or code.replace("-", " ")


def _is_untried(row: Delivery) -> bool:
    return row.status is Status.SENDING or (row.status is Status.QUEUED and row.attempts == 0)


async def _first_attempts(rig: Rig, campaign: int) -> None:
    """Wait until everybody was tried once; silence is broken when the rest is done."""

    async def tried() -> bool:
        rows = await rig.rows(campaign)
        untried = [who for who, row in rows.items() if _is_untried(row)]
        # A letter may be under way behind a silent one on the same connection.
        if untried and len(untried) <= 2 * len(rig.relay.silent):
            rig.relay.break_silence()
        return bool(rows) and not untried

    await rig.until("everybody was tried once", tried)


def _check_first_attempt(rig: Rig, who: str, row: Delivery) -> None:
    name, told = name_of(who), f"{who} is {row.status}, {row.reason!r}"
    if name in ARRIVES:
        assert row.status is Status.SENT, told
    elif name in FAILS:
        assert row.status is Status.FAILED, told
        assert row.reason.startswith(_reason(name)), told
    elif not (name in MAY_BE_TRIED_AGAIN_AT_ONCE and row.status is Status.SENT):
        assert row.status is Status.QUEUED, told
        assert _reason(name) in row.reason, told
        assert ("in_doubt" in row.reason) <= (name in IN_DOUBT | MAY_BE_IN_DOUBT), told
        assert row.due_at > rig.relay.tried_at[who] + SOON, f"{who} is tried again at once"


@pytest.mark.parametrize("manners", MANNERS)
async def test_each_answer_has_its_outcome_and_nobody_else_is_hurt(rig: Rig, manners: str) -> None:
    rig.relay.offers = MANNERS[manners]
    await _play(rig, PARTS.keys() - HOLDS_CAMPAIGN - DISORDERLY)


@pytest.mark.parametrize("manners", ["unpipelined", "pipelined"])
async def test_what_is_no_answer_is_not_believed_and_hurts_nobody_else(rig: Rig, manners: str) -> None:
    rig.relay.offers = MANNERS[manners]
    await _play(rig, DISORDERLY)


async def _play(rig: Rig, parts: set[str]) -> None:
    await rig.prepare(_cast(parts))
    campaign = await rig.schedule()
    async with rig.running():
        await _first_attempts(rig, campaign)
        for who, row in (await rig.rows(campaign)).items():
            _check_first_attempt(rig, who, row)
        await rig.make_due()
        await rig.sent(campaign)

    rows, copies = await rig.rows(campaign), by_recipient(rig.relay.copies)
    check_copies(rig.relay.copies, rows, extra="drop-when-kept" in parts)
    for who, row in rows.items():
        fails = name_of(who) in FAILS
        twice = name_of(who) == "drop-when-kept"
        assert row.status is (Status.FAILED if fails else Status.SENT), who
        assert len(copies.get(who, [])) == (0 if fails else 2 if twice else 1), who
    assert (await rig.progress(campaign)).balanced
    assert rig.relay.rudeness == []


async def test_what_may_have_arrived_is_held_where_the_lead_wants_it(rig: Rig) -> None:
    rig.more_settings = '[delivery]\nambiguous = "hold"\n'
    await rig.prepare(["good+1", "drop-when-kept", "drop-at-end", "450-at-rcpt", "good+2"])
    campaign = await rig.schedule()
    async with rig.running():
        await _first_attempts(rig, campaign)
        await rig.make_due()
        await rig.sent(campaign)
    rows = {name_of(who): row for who, row in (await rig.rows(campaign)).items()}
    assert rows["drop-when-kept"].status is rows["drop-at-end"].status is Status.UNCERTAIN
    assert rows["good"].status is rows["450-at-rcpt"].status is Status.SENT
    check_copies(rig.relay.copies, await rig.rows(campaign), extra=0)
    assert (await rig.progress(campaign)).balanced


@pytest.mark.parametrize("pipelining", [True, False])
async def test_silence_is_given_up_in_time(rig: Rig, pipelining: bool) -> None:
    rig.relay.offers, rig.constants = Offers(pipelining=pipelining), IMPATIENCE
    await rig.prepare(
        ["good+1", "silent-at-rcpt", "good+2", "silent-at-data", "good+3", "silent-at-end", "good+4"]
    )
    campaign = await rig.schedule()
    async with rig.running():

        async def given_up() -> bool:
            return bool(rows := await rig.rows(campaign)) and not any(map(_is_untried, rows.values()))

        await rig.until("every silence was given up", given_up)
        rows = {name_of(who): row for who, row in (await rig.rows(campaign)).items()}
        assert "in_doubt" in rows["silent-at-end"].reason
        await rig.make_due()
        await rig.sent(campaign)
    check_copies(rig.relay.copies, await rig.rows(campaign), extra=0)
    assert len(rig.relay.copies) == 7
