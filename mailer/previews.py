"""Previews: exactly what one reader gets, as bytes to look at or as a test letter."""

import secrets
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import addressees, campaigns, subscribers
from domain.addresses import Address
from domain.campaigns import Campaign
from domain.deliveries import Delivery
from domain.errors import NotFound
from domain.languages import Language, choose
from domain.subscribers import Channel, Subscriber
from mailer import issues, messages, smtp
from mailer.envelopes import Envelope
from mailer.issues import Issue
from mailer.messages import Stationery
from mailer.relays import RelaySettings
from mailer.results import Sent
from mailer.smtp import Connection
from wording import readers


async def preview(
    session: AsyncSession, stationery: Stationery, campaign_id: int, address: Address, now: datetime
) -> bytes:
    """Return the letter that a reader gets, byte for byte but for its date; raises `NotFound`."""
    reader = await subscribers.get(session, address)
    issue = await _issue_for(session, stationery, campaign_id, reader, now)
    return issue.address(await addressees.of(session, reader), now).content


async def compose_test(
    session: AsyncSession, stationery: Stationery, campaign_id: int, address: Address, now: datetime
) -> Envelope:
    """Return a test letter to any address: with that reader's values, or those of the sample reader.

    Its Message-ID is its own: a mailbox that has seen the test must not drop the letter itself.
    """
    reader = await subscribers.find(session, address)
    issue = await _issue_for(session, stationery, campaign_id, reader, now)
    token = stationery.service.keyring.sign_unsubscribe(readers.SAMPLE_ID)
    shown = readers.SAMPLE
    if reader is not None:
        shown = readers.reader_of(await addressees.of(session, reader))
    content = issue.fill_in(shown, token)
    mark = stationery.texts.labels("email/labels.jinja", content.language)["test"]
    return messages.newsletter(
        stationery,
        replace(content, subject=f"{mark} {content.subject}"),
        address.email,
        message_id=f"test-{secrets.token_hex(12)}",
        token=token,
        now=now,
    )


async def send_test(stationery: Stationery, relay: RelaySettings, letter: Envelope, now: datetime) -> None:
    """Send a test letter now; raises `RelayRefused` with the relay's answer when it is not taken."""
    connection = Connection(relay)
    try:
        result = await connection.send(await messages.seal(stationery, letter, now))
    finally:
        await connection.close()
    if not isinstance(result, Sent):
        smtp.refuse(relay, result)


async def _issue_for(
    session: AsyncSession,
    stationery: Stationery,
    campaign_id: int,
    reader: Subscriber | None,
    now: datetime,
) -> Issue:
    campaign = await session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound("campaign", campaign_id)
    offered = list(await campaigns.variants(session, campaign_id))
    queued = await _queued_language(session, campaign_id, reader) if reader else None
    language = queued or choose([reader.language if reader else None], offered)
    return await issues.open_issue(session, stationery, campaign, language, now)


async def _queued_language(session: AsyncSession, campaign_id: int, reader: Subscriber) -> Language | None:
    """Return the language in which the reader's copy stands in the ledger, once the campaign began."""
    query = select(Delivery.language).where(
        col(Delivery.campaign_id) == campaign_id,
        col(Delivery.subscriber_id) == reader.id,
        col(Delivery.channel) == Channel.EMAIL,
    )
    language = (await session.exec(query)).first()
    return Language(language) if language else None
