"""Where letters come back to: newsletters to a path of their own, all others to the sender."""

from dataclasses import replace

from domain import notices
from domain.addresses import address_of
from domain.languages import Language
from domain.notices import Kind
from mailer import previews
from mailer.return_paths import ReturnPaths
from tests.mailer.offices import Office, running
from tests.mailer.returned_mail import BOUNCES

SENDER = "news@example.org"


async def test_a_newsletter_comes_back_to_the_path_of_its_reader_and_other_letters_to_the_sender(
    office: Office,
) -> None:
    paths = ReturnPaths(BOUNCES, office.stationery.service.keyring)
    office = replace(office, stationery=replace(office.stationery, return_paths=paths))
    ana, bor = [await office.add_reader(f"{name}@example.org") for name in ("ana", "bor")]
    campaign = await office.schedule()
    async with office.database.transaction() as session:
        payload = {"secret": "s3cret", "name": "Eva", "by_chat": False}
        await notices.queue(
            session, Kind.CONFIRM, "eva@example.org", Language.ENGLISH, payload, office.clock()
        )
        test = await previews.compose_test(
            session, office.stationery, campaign, address_of("lead@example.org"), office.clock()
        )
    await previews.send_test(office.stationery, office.relay_settings, test, office.clock())
    async with running(office.mailer()):
        await office.sent(campaign)
        await office.relay.wait_for("eva@example.org")
    assert {letter.envelope_to[0]: letter.envelope_from for letter in office.relay.letters} == {
        "ana@example.org": paths.of(campaign, ana.id or 0),
        "bor@example.org": paths.of(campaign, bor.id or 0),
        "eva@example.org": SENDER,
        "lead@example.org": SENDER,
    }


async def test_without_return_paths_a_newsletter_comes_back_to_the_sender(office: Office) -> None:
    await office.add_reader("ana@example.org")
    async with running(office.mailer()):
        await office.sent(await office.schedule())
    assert office.relay.letters[0].envelope_from == SENDER
