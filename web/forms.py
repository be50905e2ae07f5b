"""Forms as they come in: checked field by field, with nothing lost of what was typed."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from starlette.requests import Request

from domain.addresses import Address, address_of
from domain.errors import Invalid

LONGEST = 200
"""Characters of one field: longer than the longest name of an institution we know of."""
_MOST_FIELDS = 100


class Problem(StrEnum):
    """What is wrong with a field; the sentences are in `templates/web/words.jinja`."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    NOT_AN_ADDRESS = "not_an_address"
    NOT_AGREED = "not_agreed"
    TEXT_CHANGED = "text_changed"
    NOT_TICKED = "not_ticked"


class Form:
    """The fields of one form; reading a field notes in `problems` what is wrong with it."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        """Take the fields as they came."""
        self._fields = fields
        self.problems: dict[str, Problem] = {}

    def raw(self, name: str) -> str:
        """Return the first value of a field as typed, empty when it is absent."""
        return next(iter(self._fields.get(name, [])), "")

    def ticked(self, name: str) -> bool:
        """Return whether a box is ticked."""
        return bool(self.raw(name))

    def text(self, name: str) -> str:
        """Return one line of text with its spaces put in order."""
        words = " ".join(self.raw(name).split())
        if len(words) > LONGEST:
            self.problems[name] = Problem.TOO_LONG
        elif not words.isprintable():
            self.problems[name] = Problem.UNREADABLE
        return words

    def one_of(self, name: str, choices: Collection[str]) -> str:
        """Return a chosen value, empty when nothing was chosen."""
        value = self.raw(name)
        if value and value not in choices:
            self.problems[name] = Problem.UNKNOWN
        return value

    def some_of(self, name: str, choices: Collection[str]) -> tuple[str, ...]:
        """Return every chosen value; one that is not offered (any more) is passed over."""
        chosen = self._fields.get(name, [])
        return tuple(choice for choice in choices if choice in chosen)

    def address(self, name: str) -> Address | None:
        """Return the checked address, or None with a problem noted."""
        typed = self.raw(name).strip()
        if not typed:
            self.problems[name] = Problem.MISSING
            return None
        try:
            return address_of(typed)
        except Invalid:
            self.problems[name] = Problem.NOT_AN_ADDRESS
            return None


async def read(request: Request) -> Form:
    """Return the fields of a form, urlencoded or multipart; files are passed over."""
    async with request.form(max_files=_MOST_FIELDS, max_fields=_MOST_FIELDS) as data:
        names = dict.fromkeys(data.keys())
        return Form({name: [text for text in data.getlist(name) if isinstance(text, str)] for name in names})
