"""Letters for the chat: a campaign's Markdown compiled once, then filled in for each reader."""

import re
from collections.abc import Mapping
from typing import Any

from bot import markup
from domain.deliveries import Claim
from domain.projects import Project
from domain.sites import ServiceSettings
from domain.subscribers import Profile
from wording.sandbox import PersonalTemplate

_NODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
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


def values_for(
    claim: Claim, profile: Profile, project: Project, service: ServiceSettings, username: str
) -> dict[str, Any]:
    """Return the fields that letters may name, with the values of the claim's reader.

    Leaving and changing lead back into the chat: the web pages' links act on the e-mail channel.
    """
    return {
        "subscriber": {
            "first_name": claim.subscriber.first_name,
            "name": profile.name,
            "organisation": profile.organisation,
            "language": profile.language.value,
            "country": profile.country or "",
            "region": profile.region,
            "helix": profile.helix_group or "",
        },
        "project": {"name": project.name, "website": project.website},
        "unsubscribe_url": f"https://t.me/{username}?start=unsubscribe",
        "preferences_url": f"https://t.me/{username}?start=subscribe",
        "archive_url": service.url(f"/archive/{claim.campaign_id}?language={claim.language}"),
        "subscribe_url": service.url(f"/subscribe?language={claim.language}"),
    }


def neutral_subject(subject: str, project: Project | None, service: ServiceSettings) -> str:
    """Return a subject as a list shows it to anybody: its personal fields are filled for nobody."""
    if "{" not in subject:
        return subject
    nobody = dict.fromkeys(
        ("first_name", "name", "organisation", "language", "country", "region", "helix"), ""
    )
    values = {
        "subscriber": nobody,
        "project": {
            "name": project.name if project else service.name,
            "website": project.website if project else service.base_url,
        },
    }
    return PersonalTemplate(subject, html=False, field="subject").render(values).strip()


def _source_of(markdown: str) -> str:
    """Return the Markdown as HTML with its personal nodes in place.

    The nodes are taken out first and put back last: what a reader is called is never Markdown.
    """
    mark = "zq"
    while mark in markdown:
        mark += "q"
    nodes: list[str] = []

    def hide(node: re.Match[str]) -> str:
        nodes.append(node[0])
        return f"{mark}{len(nodes) - 1}x"

    hidden = _NODE.sub(hide, markdown)
    hidden = re.sub(rf"(\]\(\s*<?)({mark}\d+x)", rf"\1{_LINK}\2", hidden)
    html = re.sub(r"\{(?=[{%#])", '{{ "{" }}', markup.from_markdown(hidden))
    shown = re.compile(rf"(?:{re.escape(_LINK)})?{mark}(\d+)x")
    return shown.sub(lambda found: nodes[int(found[1])], html)
