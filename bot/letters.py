"""Letters for the chat: a campaign's Markdown compiled once, then filled in for each reader."""

import re
from collections.abc import Mapping
from typing import Any

from bot import markup
from domain.leases import Claim
from domain.projects import Project
from domain.sites import ServiceSettings
from wording import readers
from wording.placeholders import Placeholders
from wording.sandbox import PersonalTemplate

_LINK = "https://link-"
"""Stands before a field that is a whole link, so that Markdown and the allow-list take it for one."""


class Letter:
    """A letter in one language, ready to be filled in."""

    def __init__(self, subject: str, markdown: str) -> None:
        """Compile both; raises `Invalid` where they are no templates."""
        self._subject = PersonalTemplate(subject, html=False, field="subject")
        self._body = PersonalTemplate(_source_of(markdown), html=True, field="body")

    def render(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Return subject (plain) and body (Telegram's HTML) for one reader; raises `Invalid`."""
        return self._subject.render(values).strip(), self._body.render(values)


def values_for(claim: Claim, project: Project, service: ServiceSettings, username: str) -> dict[str, Any]:
    """Return the fields that letters may name, with the values of the claim's reader.

    Leaving and changing lead back into the chat: the web pages' links act on the e-mail channel.
    """
    links = {
        "unsubscribe_url": f"https://t.me/{username}?start=unsubscribe",
        "preferences_url": f"https://t.me/{username}?start=subscribe",
        "archive_url": service.url(f"/archive/{claim.campaign_id}?language={claim.language}"),
        "subscribe_url": service.url(f"/subscribe?language={claim.language}"),
    }
    return readers.values(readers.reader_of(claim.addressee), project, service, links)


def neutral_subject(subject: str, project: Project | None, service: ServiceSettings) -> str:
    """Return a subject as a list shows it to anybody: its personal fields are filled for nobody."""
    values = readers.values(readers.NOBODY, project, service, {})
    return PersonalTemplate(subject, html=False, field="subject").render(values).strip()


def _source_of(markdown: str) -> str:
    """Return the Markdown as HTML with its personal nodes in place.

    The nodes are taken out first and put back last: what a reader is called is never Markdown.
    """
    nodes = Placeholders(markdown)
    hidden = nodes.hide(markdown, field="body")
    as_links = re.sub(rf"(\]\(\s*<?)(?={nodes.pattern.pattern})", rf"\1{_LINK}", hidden)
    html = markup.from_markdown(as_links)
    return nodes.show(re.sub(rf"{re.escape(_LINK)}(?={nodes.pattern.pattern})", "", html))
