"""Which letters a page of the inbox shows: search, filters and pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from demo.mail.letters import Letter

PAGE_SIZE = 25


class Filter(BaseModel):
    """What the visitor asked for; the empty filter shows everything."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    q: str = Field("", max_length=200)
    to: str = Field("", max_length=320)
    language: str = Field("", max_length=3)
    page: int = Field(1, ge=1)
    live: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.to or self.language)

    def lets_through(self, letter: Letter) -> bool:
        return (
            (not self.to or letter.is_for(self.to))
            and (not self.language or letter.language == self.language)
            and self._finds(letter)
        )

    def query(self, **changes: object) -> str:
        """Return the query string of this filter with `changes`, without what is at its default."""
        query = urlencode(self.model_copy(update=changes).model_dump(exclude_defaults=True))
        return f"?{query}"

    def _finds(self, letter: Letter) -> bool:
        wanted = self.q.casefold()
        places = (letter.subject, letter.envelope_from, *letter.envelope_to)
        return not wanted or any(wanted in place.casefold() for place in places)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the letters that pass a filter, newest first."""

    letters: list[Letter]
    found: int
    page: int
    pages: int


def list_letters(kept: list[Letter], wanted: Filter) -> Listing:
    """Return the wanted page; a page beyond the last is the last."""
    found = [letter for letter in reversed(kept) if wanted.lets_through(letter)]
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(wanted.page, 1), pages)
    return Listing(found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], len(found), page, pages)


def languages_of(letters: Iterable[Letter]) -> list[str]:
    return sorted({letter.language for letter in letters if letter.language})
