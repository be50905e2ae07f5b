"""The ledger's Telegram deliveries: each reader's own letter, once, with the sums balanced."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import pytest

from bot import takeovers
from bot.letters import Letter
from bot.limits import Limits
from bot.newsletters import Newsletters
from bot.outbox import Outbox
from bot.turns import Means
from demo.telegram import Telegram
from demo.telegram.entities import parse_html
from domain import campaigns, consents, heartbeats, leases, subscribers, subscriptions
from domain.audiences import Audience
from domain.campaigns import Draft, Progress, Text
from domain.consents import Method, Proof
from domain.database import Database
from domain.deliveries import Status
from domain.errors import Invalid
from domain.languages import Language
from domain.sites import ServiceSettings
from domain.subscribers import Channel, Profile
from tests.bot.machines import Machine
from tests.bot.talks import Talk

pytestmark = pytest.mark.usefixtures("pack")

BODY = """Dear {{ subscriber.first_name or "reader" }},

**News** from {{ project.name }}: [leave]({{ unsubscribe_url }}).

{% if subscriber.country == "SI" %}

For Slovenia only.

{% endif %}
"""


@pytest.fixture
def newsletters(machine: Machine, means: Means, outbox: Outbox) -> Newsletters:
    return Newsletters(machine.database, means, outbox, lambda: machine.now, "machine")


@pytest.fixture
async def readers(machine: Machine, cloud: Telegram) -> list[Talk]:
    """Two readers in Telegram: one with a name and a country, one without."""
    talks = [Talk(cloud, "Ana"), Talk(cloud, "Eve")]
    profiles = [
        Profile(language=Language.ENGLISH, name="*Ana* [x](http://evil.example) <b>", country="SI"),
        Profile(language=Language.SLOVENIAN),
    ]
    async with machine.database.transaction() as session:
        for talk, profile in zip(talks, profiles, strict=True):
            cloud.chats[talk.id].started = True
            proof = Proof(Method.CHAT, "a test", machine.now)
            await subscriptions.join_by_chat(session, talk.id, profile, "I agree", proof)
    return talks


async def _start(machine: Machine, body: str = BODY) -> int:
    texts = {Language.ENGLISH: Text("News for {{ subscriber.first_name }}", "", body)}
    draft = Draft("c", Audience(), (Channel.TELEGRAM,), "newsletter", "hash", texts)
    async with machine.database.transaction() as session:
        campaign = await campaigns.create(session, draft, machine.now)
        assert campaign.id is not None
        await campaigns.approve(session, campaign.id, machine.now)
        await campaigns.schedule(session, campaign.id, machine.now, "UTC", machine.now)
        letters = {Language.ENGLISH: {"subject": "s"}}
        assert await campaigns.start(session, campaign.id, letters, machine.now)
    return campaign.id


async def _progress(database: Database, campaign: int) -> Progress:
    async with database.reading() as session:
        return await campaigns.progress(session, campaign)


async def test_each_reader_gets_their_own_letter_once_and_the_sums_balance(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    campaign = await _start(machine)
    stop = asyncio.Event()
    assert await newsletters.send_due(stop) == 2
    assert await newsletters.send_due(stop) == 0
    [[ana], [eve]] = [reader.said() for reader in readers]
    assert ana.startswith("News for *Ana*\n\nDear *Ana*,\n\nNews from INTRA: leave.\n\nFor Slovenia only.")
    assert eve.startswith("News for\n\nDear reader,\n\nNews from INTRA: leave.\n\n———")
    assert "Co-financed by the European Union." in ana
    assert (await _progress(machine.database, campaign)).balanced


async def test_what_a_reader_is_called_is_never_markup(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], cloud: Telegram
) -> None:
    await _start(machine, "Hello {{ subscriber.name }}, {{ subscriber.name | upper }}!")
    await newsletters.send_due(asyncio.Event())
    [letter] = cloud.messages(readers[0].id)
    assert "Hello *Ana* [x](http://evil.example) <b>, *ANA* [X](HTTP://EVIL.EXAMPLE) <B>!" in letter.text
    assert not any("evil" in str(entity.url) for entity in letter.entities)


async def test_the_unsubscribe_link_leads_back_into_the_chat(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], cloud: Telegram
) -> None:
    await _start(machine)
    await newsletters.send_due(asyncio.Event())
    [letter] = cloud.messages(readers[0].id)
    assert "https://t.me/helixpost_bot?start=unsubscribe" in [entity.url for entity in letter.entities]
    async with machine.running():
        await readers[0].say("/start unsubscribe", containing="Do you want to leave?")


async def test_a_long_letter_comes_in_parts(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    await _start(machine, "word " * 1500)
    await newsletters.send_due(asyncio.Event())
    assert [len(reader.said()) for reader in readers] == [2, 2]


async def test_who_blocked_the_bot_is_skipped_and_has_left(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], cloud: Telegram
) -> None:
    campaign = await _start(machine)
    cloud.chats[readers[1].id].blocked = True
    await newsletters.send_due(asyncio.Event())
    progress = await _progress(machine.database, campaign)
    assert (progress.counts[Status.SENT], progress.counts[Status.SKIPPED]) == (1, 1)
    async with machine.database.reading() as session:
        left = await subscribers.find_by_chat(session, readers[1].id)
        assert left is not None
        assert left.consented_at(Channel.TELEGRAM) is None
        assert [line.method for line, _ in await consents.history(session, left)][-1] is Method.BLOCKED


async def test_who_left_after_the_start_gets_nothing(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], service: ServiceSettings
) -> None:
    campaign = await _start(machine)
    async with machine.database.transaction() as session:
        reader = await subscribers.find_by_chat(session, readers[0].id)
        assert reader is not None
        proof = Proof(Method.CHAT, "left", machine.now)
        await subscriptions.leave(session, reader, [Channel.TELEGRAM], proof, service.keyring)
    await newsletters.send_due(asyncio.Event())
    assert [len(reader.said()) for reader in readers] == [0, 1]
    assert (await _progress(machine.database, campaign)).balanced


async def test_without_a_receipt_a_letter_is_uncertain_and_not_sent_again(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], cloud: Telegram
) -> None:
    campaign = await _start(machine)
    cloud.drop_next("sendMessage", performed=True)
    await newsletters.send_due(asyncio.Event())
    machine.now += timedelta(hours=1)
    assert await newsletters.send_due(asyncio.Event()) == 0
    progress = await _progress(machine.database, campaign)
    assert (progress.counts[Status.SENT], progress.counts[Status.UNCERTAIN]) == (1, 1)
    assert [len(reader.said()) for reader in readers] == [1, 1]


@pytest.mark.parametrize(("status", "retry_after"), [(429, 1), (502, None)])
async def test_what_did_not_leave_goes_again_later(
    machine: Machine,
    newsletters: Newsletters,
    readers: list[Talk],
    cloud: Telegram,
    status: int,
    retry_after: int | None,
) -> None:
    campaign = await _start(machine)
    cloud.fail_next("sendMessage", status, "trouble", retry_after=retry_after)
    await newsletters.send_due(asyncio.Event())
    assert (await _progress(machine.database, campaign)).counts[Status.QUEUED] == 1
    machine.now += timedelta(minutes=1)
    assert await newsletters.send_due(asyncio.Event()) == 1
    assert (await _progress(machine.database, campaign)).balanced
    assert [len(reader.said()) for reader in readers] == [1, 1]


async def test_a_letter_that_names_an_unknown_field_fails_and_the_sums_balance(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    campaign = await _start(machine, "{{ subscriber.shoe_size }}")
    await newsletters.send_due(asyncio.Event())
    progress = await _progress(machine.database, campaign)
    assert (progress.counts[Status.FAILED], progress.balanced) == (2, True)


async def test_asked_to_stop_it_puts_back_what_was_not_begun(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    campaign = await _start(machine)
    stop = asyncio.Event()
    stop.set()
    await newsletters.send_due(stop)
    assert (await _progress(machine.database, campaign)).counts[Status.QUEUED] == 2
    assert [reader.said() for reader in readers] == [[], []]


async def test_what_a_process_that_died_held_is_uncertain_and_not_sent_again(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    campaign = await _start(machine)
    lease = timedelta(minutes=10)
    with contextlib.suppress(ZeroDivisionError):
        async with takeovers.enrolled(machine.database, lambda: machine.now) as dying:
            async with machine.database.transaction() as session:
                await leases.claim(
                    session,
                    Channel.TELEGRAM,
                    [campaign],
                    machine.now,
                    limit=1,
                    lease=lease,
                    claimant=dying.name,
                )
            await takeovers.take_over(machine.database, machine.now)
            assert await newsletters.send_due(asyncio.Event()) == 1
            raise ZeroDivisionError
    await takeovers.take_over(machine.database, machine.now)
    assert await newsletters.send_due(asyncio.Event()) == 1
    progress = await _progress(machine.database, campaign)
    assert (progress.counts[Status.SENT], progress.counts[Status.UNCERTAIN]) == (1, 1)
    assert progress.balanced
    assert sorted(len(reader.said()) for reader in readers) == [0, 1]


async def test_who_leaves_while_the_letter_waits_for_its_turn_gets_nothing(
    machine: Machine, means: Means, readers: list[Talk], service: ServiceSettings
) -> None:
    campaign = await _start(machine)
    moment, asked = [0.0], asyncio.Event()

    def seconds() -> float:
        asked.set()
        return moment[0]

    limits = Limits(seconds)
    limits.pause(0.01)
    newsletters = Newsletters(
        machine.database, means, Outbox(machine.client, limits), lambda: machine.now, "machine"
    )
    sending = asyncio.create_task(newsletters.send_due(asyncio.Event()))
    asked.clear()
    await asyncio.wait_for(asked.wait(), 10)
    async with machine.database.transaction() as session:
        reader = await subscribers.find_by_chat(session, readers[0].id)
        assert reader is not None
        proof = Proof(Method.CHAT, "left", machine.now)
        await subscriptions.leave(session, reader, [Channel.TELEGRAM], proof, service.keyring)
    moment[0] = 1.0
    await sending
    assert [len(reader.said()) for reader in readers] == [0, 1]
    assert (await _progress(machine.database, campaign)).balanced


async def test_a_long_pause_of_telegram_s_leaves_the_letters_in_the_queue(
    machine: Machine, newsletters: Newsletters, readers: list[Talk], cloud: Telegram
) -> None:
    campaign = await _start(machine)
    cloud.fail_next("sendMessage", 429, "trouble", retry_after=10_000)
    await newsletters.send_due(asyncio.Event())
    assert (await _progress(machine.database, campaign)).counts[Status.SENDING] == 0
    machine.now += timedelta(seconds=20_000)
    assert await newsletters.send_due(asyncio.Event()) == 0
    assert (await _progress(machine.database, campaign)).counts[Status.QUEUED] >= 1


async def test_nothing_is_sent_before_the_mailer_has_looked(
    machine: Machine, newsletters: Newsletters, readers: list[Talk]
) -> None:
    async def look(at: datetime) -> None:
        async with machine.database.transaction() as session:
            seen = await heartbeats.look(session, folder, at, patience=timedelta(hours=1))
        heartbeats.stamp(folder, seen)

    folder = machine.database.folder
    await look(machine.now)
    campaign = await _start(machine)
    for _ in range(3):
        assert not await newsletters.is_watched()
    assert (await _progress(machine.database, campaign)).counts[Status.QUEUED] == 2
    stop = asyncio.Event()
    sending = asyncio.create_task(newsletters.run(stop))
    await look(machine.now + heartbeats.BEAT)
    async with asyncio.timeout(20):
        while not (await _progress(machine.database, campaign)).balanced:
            await asyncio.sleep(0.02)
    stop.set()
    await sending


def test_markdown_cannot_make_a_field_out_of_broken_braces() -> None:
    subject, body = Letter("s", r"{\{ subscriber.name }} and {\% if %}").render({})
    assert (subject, parse_html(body).text) == ("s", "{{ subscriber.name }} and {% if %}")


def test_a_loop_is_refused() -> None:
    with pytest.raises(Invalid, match="not allowed"):
        Letter("s", "{% for x in y %}{{ x }}{% endfor %}")
