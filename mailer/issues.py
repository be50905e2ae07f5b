"""Issues: a campaign in one language, ready to be filled in for every reader who waits for it."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, projects
from domain.addressees import Addressee
from domain.campaigns import Campaign
from domain.languages import Language
from domain.projects import Project
from mailer import digests, messages
from mailer.digests import Written
from mailer.envelopes import Envelope
from mailer.letters import Letter, PersonalLetter, compile_letter
from mailer.links import links_for, own_link
from mailer.messages import Content, Stationery
from mailer.presses import Press
from wording import readers
from wording.readers import Reader


class Issue:
    """One campaign in one language, on our stationery."""

    def __init__(
        self,
        stationery: Stationery,
        campaign_id: int,
        project: Project,
        letter: PersonalLetter,
        since: datetime | None = None,
    ) -> None:
        """Set the letter up; `since` is when the sending began, if it has: see `Campaign.sent_since`."""
        self.campaign_id = campaign_id
        self.project = project
        self.letter = letter
        self.since = since
        self._stationery = stationery
        self._press = Press(letter, self._values)

    def fill_in(self, reader: Reader, token: str) -> Content:
        """Return the letter for one reader; raises `Invalid` when it cannot be rendered."""
        return self.letter.render(self._values(reader, token))

    def address(self, addressee: Addressee, now: datetime) -> Envelope:
        """Return the message to one addressee; raises `Invalid` when it is unfit to be sent.

        Every copy of it carries the same Message-ID, so that a second one is recognisable, and comes back
        to the return path of its reader where there are such.
        """
        assert addressee.email is not None
        keyring = self._stationery.service.keyring
        token = keyring.sign_unsubscribe(addressee.id)
        printed = self._press.print(readers.reader_of(addressee), token)
        number = keyring.message_id(self.campaign_id, addressee.id)
        envelope = messages.newsletter(
            self._stationery, printed, addressee.email, message_id=number, token=token, now=now
        )
        paths = self._stationery.return_paths
        return envelope._replace(sender=paths.of(self.campaign_id, addressee.id)) if paths else envelope

    def _values(self, reader: Reader, token: str) -> dict[str, Any]:
        service, language = self._stationery.service, self.letter.language
        own = own_link(service, language, token)
        links = links_for(service, language, f"/archive/{self.campaign_id}", own)
        return readers.values(reader, self.project, service, links)


async def compile_letters(
    session: AsyncSession,
    stationery: Stationery,
    campaign_id: int,
    now: datetime,
    *,
    written: Written | None = None,
) -> dict[Language, Letter]:
    """Return a campaign's letters in all its languages, each tried out on the sample reader.

    `written` are its texts where they are known; a digest is else filled with what is new at this moment.

    Raises `Invalid` for one that cannot be sent, and `NotFound` without a project or campaign.
    """
    campaign = (await campaigns.progress(session, campaign_id)).campaign
    project = await projects.get(session)
    letters = {}
    texts = (written or await digests.write(session, stationery, campaign, now)).texts
    for language, text in texts.items():
        letters[language] = compile_letter(stationery, project, language, text, template=campaign.template)
        issue = Issue(stationery, campaign_id, project, PersonalLetter(letters[language], language))
        _try_out(stationery, issue, now)
    return letters


async def open_issue(
    session: AsyncSession, stationery: Stationery, campaign: Campaign, language: Language, now: datetime
) -> Issue:
    """Return a campaign in one language: its frozen letter, or before the start the one it would get."""
    assert campaign.id is not None
    project = await projects.get(session)
    if campaign.started_at is None:
        letter = (await compile_letters(session, stationery, campaign.id, now))[language]
    else:
        letter = Letter(**await campaigns.letter(session, campaign.id, language))
    return Issue(stationery, campaign.id, project, PersonalLetter(letter, language), campaign.sent_since)


def _try_out(stationery: Stationery, issue: Issue, now: datetime) -> None:
    token = stationery.service.keyring.sign_unsubscribe(readers.SAMPLE_ID)
    content = issue.fill_in(readers.SAMPLE, token)
    recipient = stationery.mail.contact
    messages.verify(
        messages.newsletter(stationery, content, recipient, message_id="sample", token=token, now=now)
    )
