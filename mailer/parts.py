"""Parts: a message split into its MIME parts, within bounds that no message can break.

The standard library's parser goes as deep as a message says, and asks about every open boundary at every
line: a hostile report could hold the service up for minutes. Reports are simple; so is this.
"""

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 5
"""Multiparts in one another; a report has one, a mail gateway may wrap it in another."""
MOST_PARTS = 40
MOST_FIELDS = 200
LONGEST_VALUE = 2000

Fields = tuple[tuple[str, str], ...]
"""Header fields in their order, the names in lower case."""

_BLANK = re.compile(rb"\n[ \t]*\n")
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part that holds no others; a message inside the message is such a one."""

    kind: str
    """Such as `text/plain`, in lower case."""
    body: bytes
    """Decoded, its lines ended by a line feed."""

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 comes out as replacement characters."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its own fields and its leaves, in their order."""

    fields: Fields
    kind: str
    parts: tuple[Part, ...]

    def first(self, *kinds: str) -> Part | None:
        """Return the first part of one of these kinds."""
        return next((part for part in self.parts if part.kind in kinds), None)

    def values(self, *names: str) -> list[str]:
        """Return the values of the fields with these names."""
        return values(self.fields, *names)


def read(content: bytes) -> Message:
    """Split a message; whatever is broken in it stays one part. Never raises."""
    head, body = _halves(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    fields = read_fields(head)
    kind = _kind(fields, "text/plain")
    found: list[Part] = []
    for part in _leaves(fields, kind, body, 0):
        found.append(part)
        if len(found) == MOST_PARTS:
            break
    return Message(fields, kind, tuple(found))


def read_fields(head: bytes) -> Fields:
    """Return the fields of a header, unfolded; lines that are none are left out."""
    fields: list[list[str]] = []
    for line in head.decode(errors="replace").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            if len(fields[-1][1]) < LONGEST_VALUE:  # else a long fold costs its square
                fields[-1][1] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon and name and not name.rstrip().count(" "):
            if len(fields) == MOST_FIELDS:
                break
            fields.append([name.strip().lower(), value.strip()])
    return tuple((name, value[:LONGEST_VALUE]) for name, value in fields)


def values(fields: Fields, *names: str) -> list[str]:
    """Return the values of the fields with these names."""
    return [value for name, value in fields if name in names]


def _halves(entity: bytes) -> tuple[bytes, bytes]:
    """Return header and body; a body may come at once."""
    if entity.startswith(b"\n"):
        return b"", entity[1:]
    blank = _BLANK.search(entity)
    return (entity[: blank.start()], entity[blank.end() :]) if blank else (entity, b"")


def _leaves(fields: Fields, kind: str, body: bytes, depth: int) -> Iterator[Part]:
    boundary = _boundary(fields) if kind.startswith("multipart/") and depth < DEEPEST else None
    pieces = _pieces(body, boundary) if boundary else []
    if not pieces:
        yield Part(kind, _decoded(fields, body))
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    for piece in pieces:
        head, inner = _halves(piece)
        inner_fields = read_fields(head)
        yield from _leaves(inner_fields, _kind(inner_fields, default), inner, depth + 1)


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what stands between the delimiters; the last may lack its end (RFC 2046, 5.1.1)."""
    delimiters = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\n|\Z)", re.MULTILINE)
    pieces: list[bytes] = []
    begin: int | None = None
    for found in delimiters.finditer(body):
        if begin is not None:
            pieces.append(body[begin : found.start()])
        begin = found.end()
        if found[1] or len(pieces) == MOST_PARTS:
            return pieces
    return [*pieces, body[begin:]] if begin is not None else pieces


def _kind(fields: Fields, default: str) -> str:
    named = values(fields, "content-type")
    kind = named[0].partition(";")[0].strip().lower() if named else ""
    return kind if "/" in kind else default


def _boundary(fields: Fields) -> bytes | None:
    found = _BOUNDARY.search(values(fields, "content-type")[0])
    return (found[1] or found[2]).encode() if found else None


def _decoded(fields: Fields, body: bytes) -> bytes:
    encoding = "".join(values(fields, "content-transfer-encoding")[:1]).lower()
    try:
        if encoding == "base64":
            return a2b_base64(body).replace(b"\r\n", b"\n")
        if encoding == "quoted-printable":
            return a2b_qp(body).replace(b"\r\n", b"\n")
    except Error:
        pass
    return body
