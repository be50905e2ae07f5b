"""What carries our mark is believed, wherever it came in; a forged report changes nothing."""

import pytest
from sqlmodel import col, select

from domain.bounces import Bounce
from domain.deliveries import Status
from domain.subscribers import Subscriber
from mailer.returns import Verdict
from tests.mailer.conftest import Desk
from tests.mailer.offices import Office
from tests.mailer.returned_mail import BOUNCES, report


async def _bounces(office: Office) -> list[tuple[str, str]]:
    async with office.database.reading() as session:
        rows = (await session.exec(select(Bounce).order_by(col(Bounce.id)))).all()
        return [(row.kind, row.code) for row in rows]


async def _reader(office: Office) -> Subscriber:
    async with office.database.reading() as session:
        return (await session.exec(select(Subscriber))).one()


async def test_a_report_at_the_letters_return_path_is_recorded_and_again_is_no_news(desk: Desk) -> None:
    content = report("postfix-unknown-user", desk.path)
    assert await desk.returns.take(content, [desk.path.upper()]) is Verdict.RECORDED
    assert await desk.returns.take(content, [BOUNCES, desk.path]) is Verdict.KNOWN
    assert await _bounces(desk.office) == [("hard", "5.1.1")]
    progress = await desk.office.progress(desk.campaign)
    assert progress.counts[Status.BOUNCED] == 1
    assert progress.balanced


@pytest.mark.parametrize("name", ["postfix-unknown-user", "qmail", "exchange-no-such-recipient"])
async def test_a_forged_report_changes_nothing(desk: Desk, name: str) -> None:
    forged = desk.path.replace(desk.path[-20:], "a" * 20)
    for arrived_at in (
        [],
        [BOUNCES],
        [forged],
        [f"bounces+{desk.campaign}.1.{'a' * 16}@bounces.example.org"],
    ):
        # The genuine path inside, as a reader's own copy would show it, proves nothing.
        assert await desk.returns.take(report(name, desk.path), arrived_at) is Verdict.FORGED
    assert await _bounces(desk.office) == []
    assert (await desk.office.progress(desk.campaign)).counts[Status.SENT] == 1
    assert (await _reader(desk.office)).email_bounced_at is None


@pytest.mark.parametrize("name", ["vacation", "read-receipt", "a-persons-letter", "not-spam"])
async def test_other_mail_at_a_return_path_changes_nothing(desk: Desk, name: str) -> None:
    assert await desk.returns.take(report(name, desk.path), [desk.path]) is Verdict.NO_REPORT
    assert await _bounces(desk.office) == []


async def test_a_complaint_is_believed_for_the_return_path_that_it_quotes(desk: Desk) -> None:
    content = report("yahoo-complaint", desk.path)
    assert await desk.returns.take(content, [BOUNCES]) is Verdict.RECORDED
    assert await desk.returns.take(content, [BOUNCES]) is Verdict.KNOWN
    assert await _bounces(desk.office) == [("complaint", "")]
    assert (await _reader(desk.office)).email_consented_at is None


async def test_a_complaint_is_believed_for_the_unsubscribe_link_that_it_quotes(desk: Desk) -> None:
    content = report("complaint-by-link", token=desk.token, message_id=desk.message_id)
    assert await desk.returns.take(content, []) is Verdict.RECORDED
    async with desk.office.database.reading() as session:
        assert [row.campaign_id for row in (await session.exec(select(Bounce))).all()] == [desk.campaign]


async def test_a_forged_complaint_changes_nothing(desk: Desk) -> None:
    number = desk.token.partition("-")[0]
    forged = [
        report("yahoo-complaint", f"bounces+{desk.campaign}.{number}.{'a' * 16}@bounces.example.org"),
        report("complaint-by-link", token=f"{number}-{'0' * 32}", message_id=desk.message_id),
    ]
    for content in forged:
        assert await desk.returns.take(content, [BOUNCES]) is Verdict.FORGED
    assert await _bounces(desk.office) == []
    assert (await _reader(desk.office)).email_consented_at is not None
