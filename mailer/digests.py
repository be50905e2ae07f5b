"""Digests: letters that fill themselves with what is new since the last issue."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, schedules
from domain.campaigns import Campaign, Text
from domain.languages import FALLBACK, Language
from domain.projects import Document
from mailer.messages import Stationery
from wording import formats, markdown

if TYPE_CHECKING:
    from domain.events import Event
    from domain.items import Knowledge
    from domain.news import News

TEMPLATE = "digest"
FIRST_LOOK_BACK = timedelta(days=30)
"""What the first issue of a schedule tells."""
MOST = 8
"""Entries in one section; of what is more, the number is told."""
LONGEST = 400
"""Characters of a text before it breaks off at a word."""
_SPECIAL = re.compile(r"[\\`*_{}%\[\]<>#~|&!]|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
"""What Markdown or a personal field could take for its own, and what begins a list."""
_UNSAFE_IN_LINKS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "<>{}\\ "})
Entry = TypeVar("Entry")
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One section: what is shown, and how much more there is."""

    shown: Sequence[Line]
    more: int


@dataclass(frozen=True, slots=True)
class Written:
    """A campaign's texts by language, and what a digest tells in them; None for every other campaign."""

    texts: dict[Language, Text]
    told: "News | None"

    @property
    def has_nothing_new(self) -> bool:
        """Whether this is a digest that would tell nothing."""
        return self.told is not None and not self.told

    @property
    def filled(self) -> dict[Language, str] | None:
        """The bodies of a digest, by language; None for a campaign whose bodies are as they were written."""
        if self.told is None:
            return None
        return {language: text.body for language, text in self.texts.items()}


async def write(session: AsyncSession, stationery: Stationery, campaign: Campaign, now: datetime) -> Written:
    """Return a campaign's texts: as the lead wrote them, and for a digest filled with what is new.

    A digest that has begun keeps what it told then.
    """
    assert campaign.id is not None
    variants = await campaigns.variants(session, campaign.id)
    texts = {language: variant.text for language, variant in variants.items()}
    if campaign.template != TEMPLATE or campaign.started_at is not None:
        return Written(texts, None)  # what has begun was filled at its start
    from domain import news  # whoever sends no digest has no use for it

    since = await schedules.last_issue(session, campaign.id) or now - FIRST_LOOK_BACK
    told = await news.since(session, since, now.astimezone(stationery.service.zone).date())
    filled = {language: _filled(text, told, stationery, language) for language, text in texts.items()}
    return Written(filled, told)


def _filled(text: Text, told: "News", stationery: Stationery, language: Language) -> Text:
    service = stationery.service
    lines = stationery.texts.render(
        f"email/{TEMPLATE}/news.md",
        language,
        is_news=bool(told),
        upcoming=_part(told.upcoming, partial(_event, told, stationery, language)),
        past=_part(told.past, partial(_event, told, stationery, language)),
        documents=_part(told.documents, partial(_document, language)),
        answered=_part(told.answers, partial(_item, language)),
        knowledge=_part(told.knowledge, partial(_item, language)),
        events_url=service.url(f"/events?language={language}"),
        documents_url=service.url(f"/documents?language={language}"),
    )
    below = re.sub(r"\n{3,}", "\n\n", lines.strip())
    return Text(text.subject, text.preheader, "\n\n".join(part for part in (text.body, below) if part))


def _part(entries: Sequence[Entry], line: Callable[[Entry], Line]) -> Part:
    return Part([line(entry) for entry in entries[:MOST]], max(len(entries) - MOST, 0))


def _event(told: "News", stationery: Stationery, language: Language, event: "Event") -> Line:
    when = event.period and formats.period(event.period, language)
    if event.starts_on is not None:
        when = formats.days(event.starts_on, event.ends_on, language)
    return {
        **_local(language, title=event.title, place=event.place, text=event.summary),
        "url": stationery.service.url(f"/events/{event.key}?language={language}"),
        "when": escape(when),
        "fresh": event.key in told.fresh_events,
    }


def _document(language: Language, document: Document) -> Line:
    when = document.published and formats.period(document.published, language)
    return {
        **_local(language, title=document.title, text=document.about),
        "url": document.url.translate(_UNSAFE_IN_LINKS),
        "when": escape(when),
        "pages": document.pages,
    }


def _item(language: Language, known: "Knowledge") -> Line:
    text = known.text_in(language)
    first = markdown.to_text(text.body).partition("\n\n")[0]
    source = known.item.sources[0] if known.item.sources else {"title": "", "url": ""}
    return {
        "title": escape(text.title),
        "text": escape(first),
        "in_english": text.language is not language,
        "url": "",
        "source": escape(source["title"]),
        "source_url": source["url"].translate(_UNSAFE_IN_LINKS),
    }


def _local(language: Language, **texts: Mapping[str, str]) -> Line:
    """Return texts in the language, else in English, and whether any of them had to be."""
    said = {name: text.get(language) or text.get(FALLBACK, "") for name, text in texts.items()}
    missing = any(said[name] and language not in text for name, text in texts.items())
    return {name: escape(text) for name, text in said.items()} | {"in_english": missing}


def escape(text: str) -> str:
    """Return a text as one line of Markdown that shows exactly it, shortened at a word."""
    line = shorten(text, LONGEST, placeholder=" …")
    return _SPECIAL.sub(r"\\\g<0>", line)
