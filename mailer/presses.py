"""Presses: a letter set up once for many readers, so that a copy takes little more than joining bytes.

Readers share most of what a letter says of them: there are fewer first names than readers. A form is the
letter set for one combination of the values that it uses, with gaps where the reader's own token belongs.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from domain.languages import Language
from mailer import messages, quoted_printable
from mailer.letters import PersonalLetter
from wording.readers import NOBODY, Reader

FORMS = 128
"""Forms of one letter that are kept, those used last."""
_OWN_LINK = "unsubscribe_url"
"""The one value that no two readers share: their token is in it."""
_GAP = f"gap-{secrets.token_hex(16)}"
"""Stands in a form for the token; nobody can write it into a letter."""
_CODED_GAP = _GAP.encode()


class Print(NamedTuple):
    """A letter for one reader, encoded."""

    subject: str
    body: bytes
    language: Language


class Press:
    """Prints one letter for one reader after another."""

    def __init__(self, letter: PersonalLetter, values: Callable[[Reader, str], Mapping[str, Any]]) -> None:
        """Set the letter up; `values` returns what it is filled in with for a reader with that token."""
        parts = (letter.subject, letter.text, letter.html)
        names = frozenset[str]().union(*(part.names for part in parts))
        self._letter = letter
        self._values = values
        self._uses = [not names.isdisjoint({"subscriber", f"subscriber.{field}"}) for field in Reader._fields]
        self._has_gaps = _OWN_LINK not in letter.subject.names | letter.text.computed | letter.html.computed
        self._known = {piece: quoted_printable.encode(piece) for part in parts for piece in part.constants}
        self._coded = lru_cache(maxsize=FORMS)(quoted_printable.encode)
        self._form = lru_cache(maxsize=FORMS)(self._set)

    def print(self, reader: Reader, token: str) -> Print:
        """Return the letter for one reader; raises `Invalid` when it cannot be rendered.

        The token is a keyring's: letters, digits and hyphens, which every encoding leaves as they are.
        """
        used = tuple(compress(reader, self._uses))
        form = self._form(used, _GAP if self._has_gaps else token)
        return Print(form.subject, form.body(token), self._letter.language)

    def _set(self, used: tuple[str, ...], token: str) -> "_Form":
        letter = self._letter
        reader = NOBODY._replace(**dict(zip(compress(Reader._fields, self._uses), used, strict=True)))
        values = self._values(reader, token)
        text, html = (
            quoted_printable.encode_all(_with_gaps_apart(part.pieces(values)), self._encode)
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
        self._gaps = [
            (place, piece.removeprefix(_CODED_GAP))
            for place, piece in enumerate(pieces)
            if piece.startswith(_CODED_GAP)
        ]
        """Where they are, and how their lines end."""

    def body(self, token: str) -> bytes:
        pieces, coded = self._pieces.copy(), token.encode()
        for place, end in self._gaps:
            pieces[place] = coded + end
        return b"".join(pieces)


def _with_gaps_apart(pieces: Iterable[str]) -> Iterator[str]:
    """Divide pieces so that each gap is one of its own: it gets a line, on which any token has room."""
    for piece in pieces:
        before, *others = piece.split(_GAP)
        yield before
        for after in others:
            yield _GAP
            yield after
