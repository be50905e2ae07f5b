"""Presses: a letter set up once for many readers, so that a copy takes little more than joining bytes.

Readers share most of what a letter says of them: there are fewer first names than readers. A form is the
letter set for one combination of the values that it uses, with gaps where the reader's own link belongs.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import escape

from domain.languages import Language
from mailer import messages, quoted_printable
from mailer.letters import PersonalLetter
from wording.readers import Reader

FORMS = 256
"""Forms of one letter that are kept, those used last."""
_OWN_LINK = "unsubscribe_url"
"""The one value that no two readers share."""
_GAP = f"gap-{secrets.token_hex(16)}"
"""Stands in a form for that value; nobody can write it into a letter."""
_CODED_GAP = _GAP.encode()


class Print(NamedTuple):
    """A letter for one reader, encoded."""

    subject: str
    body: bytes
    language: Language


class Press:
    """Prints one letter for one reader after another."""

    def __init__(self, letter: PersonalLetter, values: Callable[[Reader, str], Mapping[str, Any]]) -> None:
        """Set the letter up; `values` returns what it is filled in with for a reader with that own link."""
        parts = (letter.subject, letter.text, letter.html)
        names = frozenset[str]().union(*(part.names for part in parts))
        self._letter = letter
        self._values = values
        self._uses = [not names.isdisjoint({"subscriber", f"subscriber.{field}"}) for field in Reader._fields]
        self._has_gaps = _OWN_LINK not in letter.subject.names | letter.text.computed | letter.html.computed
        self._known = {piece: quoted_printable.encode(piece) for part in parts for piece in part.constants}
        self._known[_GAP] = _CODED_GAP
        self._coded = lru_cache(maxsize=FORMS)(quoted_printable.encode)
        self._form = lru_cache(maxsize=FORMS)(self._set)

    def print(self, reader: Reader, own_link: str) -> Print:
        """Return the letter for one reader; raises `Invalid` when it cannot be rendered."""
        shown = Reader(*[value if used else "" for value, used in zip(reader, self._uses, strict=True)])
        is_plain = self._has_gaps and escape(own_link) == own_link
        form = self._form(shown, _GAP if is_plain else own_link)
        return Print(form.subject, form.body(own_link), self._letter.language)

    def _set(self, reader: Reader, own_link: str) -> "_Form":
        letter, values = self._letter, self._values(reader, own_link)
        text, html = (
            quoted_printable.encode_all(part.pieces(values), self._encode)
            for part in (letter.text, letter.html)
        )
        return _Form(letter.subject.render(values), messages.body_pieces(text, html))

    def _encode(self, piece: str) -> bytes:
        return self._known.get(piece) or self._coded(piece)


class _Form:
    """A letter's subject and encoded pieces, the same for all readers of the same values."""

    def __init__(self, subject: str, pieces: list[bytes]) -> None:
        self.subject = subject
        self._pieces = pieces
        self._gaps = [place for place, piece in enumerate(pieces) if piece == _CODED_GAP]

    def body(self, own_link: str) -> bytes:
        pieces = self._pieces.copy()
        coded = quoted_printable.encode(own_link)
        for place in self._gaps:
            pieces[place] = coded
        return b"".join(pieces)
