"""Returns: takes mail that came back, believes what carries our mark, and has it recorded."""

from collections.abc import Sequence
from enum import StrEnum

import structlog

from domain import bounces
from domain.database import Database
from domain.keys import Keyring
from domain.times import Clock
from mailer import reports
from mailer.reports import Complaint, DeliveryReport
from mailer.return_paths import ReturnPaths

log = structlog.get_logger()


class Verdict(StrEnum):
    """What a message turned out to be."""

    RECORDED = "recorded"
    KNOWN = "known"
    FORGED = "forged"
    NO_REPORT = "no_report"


class Returns:
    """The one place where reports act, whichever way they came in."""

    def __init__(self, database: Database, paths: ReturnPaths, keyring: Keyring, clock: Clock) -> None:
        """Keep what is needed; nothing is read yet."""
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self.paths = paths
        self._forged = 0

    async def take(self, content: bytes, arrived_at: Sequence[str]) -> Verdict:
        """Act on one message that arrived at these addresses; when this returns, it is committed.

        A report is believed when it arrived at the return path of the letter that it is about, whose MAC
        only the mail servers on the letter's way have seen; a complaint also when it quotes that path or
        the reader's own unsubscribe link. Anything else changes nothing. Raises what an outage raises.
        """
        report = reports.read(content)
        letter = self._genuine(arrived_at)
        match report:
            case None:
                return Verdict.NO_REPORT
            case DeliveryReport() if letter is not None:
                is_news = await self._record_report(letter, report)
            case Complaint() if (letter := letter or self._genuine(report.return_paths)) is not None:
                is_news = await self._record_complaint(letter[1], letter[0])
            case Complaint() if (reader := self._reader(report)) is not None:
                is_news = await self._record_quoted(reader, report)
            case _:
                self._forged += 1
                log.warning("report_without_proof", so_far=self._forged)
                return Verdict.FORGED
        return Verdict.RECORDED if is_news else Verdict.KNOWN

    def _genuine(self, addresses: Sequence[str]) -> tuple[int, int] | None:
        found = (self.paths.read(address) for address in addresses)
        return next((letter for letter in found if letter is not None), None)

    def _reader(self, complaint: Complaint) -> int | None:
        found = (self._keyring.read_unsubscribe(token) for token in complaint.tokens)
        return next((reader for reader in found if reader is not None), None)

    async def _record_report(self, letter: tuple[int, int], report: DeliveryReport) -> bool:
        async with self._database.transaction() as session:
            is_news = await bounces.record_report(
                session, *letter, report.findings, self._keyring, self._clock()
            )
        log.info("delivery_report", campaign_id=letter[0], recorded=is_news)
        return is_news

    async def _record_complaint(self, subscriber_id: int, campaign_id: int | None) -> bool:
        async with self._database.transaction() as session:
            is_news = await bounces.record_complaint(
                session, subscriber_id, campaign_id, self._keyring, self._clock()
            )
        log.info("complaint", campaign_id=campaign_id, recorded=is_news)
        return is_news

    async def _record_quoted(self, subscriber_id: int, complaint: Complaint) -> bool:
        """Record a complaint that tells the reader by their link, and perhaps the letter by its number."""
        async with self._database.reading() as session:
            campaign_id = await bounces.campaign_of(
                session, subscriber_id, complaint.message_ids, self._keyring
            )
        return await self._record_complaint(subscriber_id, campaign_id)
