"""The typed entries of a project pack: what each file may say, and what it must."""

import re
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.countries import COUNTRIES, NOT_ONE
from domain.events import Access, Kind
from domain.languages import FALLBACK, Language
from domain.projects import Role

FEWEST_QUESTIONS = 3
"""An English item needs this many: one, three, ten phrasings find it in 63, 75, 83 of 100 cases."""
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_KEY = 64


def _is_key(text: str) -> str:
    if not _KEY.fullmatch(text) or len(text) > _LONGEST_KEY:
        raise ValueError(f"{text!r} is not an id; use up to {_LONGEST_KEY} small letters, digits and hyphens")
    return text


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty; write the text")
    return text.strip()


def _is_web_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise ValueError(f"{text!r} is not a web address; begin with https://")
    return text


def _is_country(text: str) -> str:
    if text and text not in COUNTRIES:
        raise ValueError(f"{text!r} {NOT_ONE}")
    return text


def _is_period(text: str) -> str:
    if text and not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", text):
        raise ValueError(f'{text!r} is not a month or a year; write "2018-06" or "2018"')
    return text


def _is_colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f'{text!r} is not a colour; write it as "#003399"')
    return text


def _has_english(texts: dict[Language, str]) -> dict[Language, str]:
    if FALLBACK not in texts:
        raise ValueError("the English text is missing; add the key `en`")
    return texts


def _has_every_language(texts: dict[Language, str]) -> dict[Language, str]:
    missing = [language.value for language in Language if language not in texts]
    if missing:
        raise ValueError(f"subscribers see it in every language; add {', '.join(missing)}")
    return texts


Key = Annotated[str, AfterValidator(_is_key)]
Words = Annotated[str, AfterValidator(_says_something)]
WebAddress = Annotated[str, AfterValidator(_is_web_address)]
Country = Annotated[str, AfterValidator(_is_country)]
Period = Annotated[str, AfterValidator(_is_period)]
Colour = Annotated[str, AfterValidator(_is_colour)]
Texts = Annotated[dict[Language, Words], AfterValidator(_has_english)]
AllTexts = Annotated[dict[Language, Words], AfterValidator(_has_every_language)]


class Entry(BaseModel):
    """A table of a pack: nothing but the keys that are listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Entry):
    """A public page that facts rest on."""

    title: Words
    url: WebAddress


class Topic(Entry):
    """A newsletter subject that subscribers may choose."""

    id: Key
    label: AllTexts


class Branding(Entry):
    """Colours of letters and pages, and the note that stands in for the emblem."""

    primary: Colour = "#003399"
    accent: Colour = "#0e6e6e"
    emblem_note: Texts | None = None


class Project(Entry):
    """`project.toml`."""

    id: Key
    name: Words
    title: Texts
    programme: Words
    period: Words
    reference: str = ""
    starts_on: date
    ends_on: date
    lead_partner: Key
    communication_partner: Key | None = None
    website: WebAddress | None = None
    references: tuple[Words, ...] = ()
    summary: Texts
    funding_statement: Texts
    disclaimer: Texts
    topics: tuple[Topic, ...] = ()
    branding: Branding = Field(default_factory=Branding)

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("`ends_on` is before `starts_on`; correct one of them")
        return self


class Sourced(Entry):
    """What names the pages it rests on, and the facts of the project's own list that it covers."""

    sources: tuple[Words, ...] = ()
    references: tuple[Words, ...] = ()


class Partner(Sourced):
    """One table of `partners.toml`."""

    id: Key
    name: Words
    other_names: tuple[Words, ...] = ()
    role: Role
    country: Country
    region: Texts
    city: Texts
    about: Texts
    as_of: date | None = None


class Event(Sourced):
    """One table of `events.toml`; `when` stands in where the exact days are not known."""

    id: Key
    title: Texts
    kind: Kind
    access: Access
    starts_on: date | None = None
    ends_on: date | None = None
    when: Period = ""
    country: Country = ""
    place: Texts
    partners: tuple[Key, ...] = ()
    summary: Texts
    as_of: date | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if self.starts_on and self.when:
            raise ValueError("it has both `starts_on` and `when`; keep the one that is known exactly")
        if self.ends_on and not self.starts_on:
            raise ValueError("`ends_on` stands alone; add `starts_on`")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("`ends_on` is before `starts_on`; correct one of them")
        return self


class Document(Sourced):
    """One table of `documents.toml`."""

    id: Key
    title: Texts
    about: Texts
    published: Period = ""
    pages: Annotated[int, Field(gt=0)] | None = None
    language: Language = FALLBACK
    url: WebAddress


class ItemHead(Sourced):
    """The front matter of an item in English."""

    title: Words
    topic: Words
    as_of: date | None = None
    questions: tuple[Words, ...]
    gaps: tuple[Words, ...] = ()
    """Questions that the item says nobody can answer: they are met with its text, as not known."""


class TranslationHead(Entry):
    """The front matter of an item in another language; the rest is the English file's."""

    title: Words
    questions: tuple[Words, ...]
    gaps: tuple[Words, ...] = ()


class ItemText(Entry):
    """What an item says in one language, and how people ask for it."""

    title: str
    body: str
    questions: tuple[str, ...]
    gaps: tuple[str, ...] = ()


class Item(Sourced):
    """An item with its texts; English is always there."""

    id: str
    topic: str
    as_of: date | None = None
    texts: dict[Language, ItemText]


class Pack(Entry):
    """A whole pack, checked."""

    project: Project
    sources: dict[str, Source] = Field(default_factory=dict)
    partners: tuple[Partner, ...] = ()
    events: tuple[Event, ...] = ()
    documents: tuple[Document, ...] = ()
    items: tuple[Item, ...] = ()
