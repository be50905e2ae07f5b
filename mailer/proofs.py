"""Proofs: a campaign's letters compiled as for sending, with the copies that the checks look at.

The only one of the checks that compiles, fills in and addresses letters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns
from domain.addressees import Addressee
from domain.campaigns import Campaign, Text
from domain.errors import Invalid
from domain.languages import Language
from domain.projects import Project
from mailer import digests, letter_views, letters, messages
from mailer.findings import Code, Finding, Part, Place, error
from mailer.issues import Issue
from mailer.letter_views import View
from mailer.letters import Letter, PersonalLetter
from mailer.links import links_for, own_link
from mailer.messages import Content, Stationery
from wording import readers
from wording.placeholders import Placeholders
from wording.sandbox import PersonalTemplate


@dataclass(frozen=True)
class Proof:
    """A letter in one language as the checks see it."""

    text: Text
    """As the lead wrote it."""
    copies: tuple[Content, ...]
    """Filled in for a reader of whom everything is known, and for one of whom nothing is."""
    preheader: str
    """What inboxes show after the subject."""
    html: str
    """The HTML with both branches of every `{% if %}`: all that any reader may see."""
    sent_size: int
    """Octets of the whole message as it travels."""
    links: Mapping[str, str]
    """Where the links lead that every letter has, by field."""
    base_url: str
    postal_address: str
    funding_statements: Mapping[str, str]
    """The pack's, by language."""

    @property
    def language(self) -> Language:
        """The language of the letter."""
        return self.copies[0].language

    @cached_property
    def views(self) -> tuple[View, ...]:
        """What is seen of each copy."""
        return tuple(letter_views.read(copy.html) for copy in self.copies)

    @cached_property
    def whole(self) -> View:
        """What any reader may see."""
        return letter_views.read(self.html)

    def place(self, part: Part) -> Place:
        """Name a part of the letter."""
        return Place(self.language, part)


@dataclass(frozen=True, slots=True)
class Proofs:
    """A campaign's letters: those that came out, and why the others did not."""

    of: Mapping[Language, Proof]
    issues: Mapping[Language, Issue]
    faults: tuple[Finding, ...]


async def read(
    session: AsyncSession, stationery: Stationery, project: Project, campaign: Campaign, now: datetime
) -> Proofs:
    """Return a campaign's letters in all its languages: frozen once it has started, else as they would be."""
    assert campaign.id is not None
    of, opened, faults = {}, {}, []
    texts = (await digests.write(session, stationery, campaign, now)).texts
    for language, variant in (await campaigns.variants(session, campaign.id)).items():
        text = texts[language]
        try:
            frozen = Letter(**variant.letter) if variant.letter else None
            letter = frozen or letters.compile_letter(
                stationery, project, language, text, template=campaign.template
            )
            issue = Issue(stationery, campaign.id, project, PersonalLetter(letter, language))
            of[language] = make(stationery, issue, letter, text, now)
            opened[language] = issue
        except Invalid as problem:
            faults.append(_fault(language, problem))
    return Proofs(of, opened, tuple(faults))


def make(stationery: Stationery, issue: Issue, letter: Letter, text: Text, now: datetime) -> Proof:
    """Return the proof of one letter; raises `Invalid` when it cannot be sent to anybody."""
    service, project, language = stationery.service, issue.project, issue.letter.language
    token = service.keyring.sign_unsubscribe(readers.SAMPLE_ID)
    links = links_for(service, language, f"/archive/{issue.campaign_id}", own_link(service, language, token))
    known = (readers.SAMPLE, readers.nobody(language))
    values = readers.values(readers.SAMPLE, project, service, links)
    message = issue.address(_sample(stationery, language), now)
    messages.verify(message)
    return Proof(
        text=text,
        copies=tuple(issue.fill_in(reader, token) for reader in known),
        preheader=PersonalTemplate(letter.preheader, html=False, field="preheader").render(values),
        html=_whole(letter.html, values),
        sent_size=len(message.content),
        links=links,
        base_url=service.base_url,
        postal_address=stationery.mail.postal_address,
        funding_statements=project.funding_statement,
    )


def _sample(stationery: Stationery, language: Language) -> Addressee:
    name, email = readers.SAMPLE.name, stationery.mail.contact
    return Addressee(readers.SAMPLE_ID, email=email, name=name, language=language)


def _whole(source: str, values: Mapping[str, Any]) -> str:
    nodes = Placeholders(source)
    hidden = nodes.hide(source, field="html")
    said = nodes.pattern.sub(
        lambda found: "" if nodes.node(found).is_block else nodes.node(found).source, hidden
    )
    return PersonalTemplate(said, html=True, field="html").render(values)


def _fault(language: Language, problem: Invalid) -> Finding:
    cure = "mend the file and create the campaign anew; templates stand in templates/email"
    return error(Code.DOES_NOT_COMPILE, Place(language, Part.LETTER), str(problem), cure)
