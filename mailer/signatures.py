"""Signatures: DKIM over the bytes that travel (RFC 6376, with RFC 8301 and RFC 8463).

Canonical form is relaxed/simple: a relay may fold our headers anew, and the body is clean
quoted-printable, whose lines nobody needs to touch. Every header that matters is named once more than
it occurs, so that a second Subject or List-Unsubscribe, put in on the way, breaks the signature.
"""

import asyncio
import os
import re
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from domain.errors import Invalid, Problems
from mailer import signing_domains, signing_keys
from mailer.signing_domains import DkimSettings, Kind
from mailer.signing_keys import SigningKey

Headers = Sequence[tuple[str, str]]
"""Names, and values as they stand on the wire: folds included, without the blank after the colon."""

ALWAYS_NAMED = (
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
"""What a reader or their mail program acts on: not even a first one may be put in on the way.

Sender is left out: relays add it to say who logged in.
"""
NAMED_IF_PRESENT = frozenset(
    {"sender", "in-reply-to", "references", "content-language", "auto-submitted", "feedback-id"}
)
"""And every List-* of RFC 2369 and RFC 2919."""

_LINE = 76
_BLANKS = re.compile("[ \t]+")
_TRAILER = b"\r\n"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What every signature of one message covers."""

    names: str
    """The tag `h=`, folded."""
    headers: bytes
    """The named headers in canonical form."""
    body_hash: str
    """The tag `bh=`."""


class Signer:
    """One key that signs in the name of one domain."""

    def __init__(self, section: DkimSettings, key: SigningKey) -> None:
        """Write down what is the same in each of its signatures."""
        self.kind = key.kind
        self._key = key
        self._opening = (
            f"v=1; a={key.kind}-sha256; c=relaxed/simple;\r\n d={section.domain};\r\n s={section.selector};"
        )

    def sign(self, coverage: Coverage, now: datetime) -> bytes:
        """Return the whole header `DKIM-Signature`, its line end included."""
        moment = int(now.timestamp())
        unsigned = f"{self._opening}\r\n t={moment}; bh={coverage.body_hash};\r\n{coverage.names};\r\n b="
        canonical = "dkim-signature:" + unsigned.replace("\r\n", "")
        signature = b64encode(self._key.sign(coverage.headers + canonical.encode())).decode()
        return f"DKIM-Signature: {unsigned}{_in_lines(signature)}\r\n".encode()


class Signers:
    """Every key that signs our letters, and the threads in which they do."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        """Take the signers; without one, signing costs nothing."""
        self._signers = tuple(signers)
        # An Ed25519 signature takes less time than the way to a thread and back.
        heavy = any(signer.kind is Kind.RSA for signer in signers)
        self._threads = ThreadPoolExecutor(os.cpu_count(), "dkim") if heavy else None

    async def sign(self, headers: Headers, body: bytes, now: datetime) -> bytes:
        """Return a message's signatures, to be written before its first header; empty without a key.

        Headers and body must be those that travel: what is changed afterwards breaks the signature.
        """
        if not self._signers:
            return b""
        coverage = cover(headers, hash_body(body))
        if self._threads is None:
            return self._sign(coverage, now)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._sign, coverage, now)

    def close(self) -> None:
        """End the threads, once they have signed what they were given."""
        if self._threads is not None:
            self._threads.shutdown()

    def _sign(self, coverage: Coverage, now: datetime) -> bytes:
        return b"".join(signer.sign(coverage, now) for signer in self._signers)


def open_signers(sections: Sequence[DkimSettings], sender_domain: str) -> Signers:
    """Return the signers that the settings name; raises `Problems` for everything wrong with them."""
    signing_domains.check(sections, sender_domain)
    signers: list[Signer] = []
    problems: list[Invalid] = []
    for section in sections:
        try:
            signers.append(Signer(section, signing_keys.read(section)))
        except Invalid as problem:
            problems.append(problem)
    if problems:
        raise Problems(problems)
    return Signers(signers)


def cover(headers: Headers, body_hash: str) -> Coverage:
    """Return what the signatures of a message cover."""
    names, order = _naming(tuple(name.lower() for name, _ in headers))
    canonical = "".join(_relaxed(*headers[place]) for place in order)
    return Coverage(names, canonical.encode(), body_hash)


def hash_body(body: bytes) -> str:
    """Return the hash of a body in simple form: one line end at its end (RFC 6376, 3.4.3)."""
    end = len(body)
    while body.endswith(_TRAILER, 0, end):
        end -= len(_TRAILER)
    digest = sha256(memoryview(body)[:end])
    digest.update(_TRAILER)
    return b64encode(digest.digest()).decode()


@lru_cache(maxsize=64)
def _naming(names: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """Return the tag `h=` for headers of these names, and the places of the headers in its order.

    Equal names are taken from the last upwards, and named once more than they occur (RFC 6376, 5.4.2).
    """
    places: dict[str, list[int]] = {name: [] for name in ALWAYS_NAMED}
    for place, name in enumerate(names):
        if name in places or name in NAMED_IF_PRESENT or name.startswith("list-"):
            places.setdefault(name, []).insert(0, place)
    lines = [" h="]
    for name, found in places.items():
        for _ in range(len(found) + 1):
            if len(lines[-1]) + len(name) >= _LINE:
                lines.append(" ")
            lines[-1] += f"{name}:"
    order = tuple(place for found in places.values() for place in found)
    return "\r\n".join(lines).removesuffix(":"), order


def _relaxed(name: str, value: str) -> str:
    """Return a header in relaxed form (RFC 6376, 3.4.2)."""
    line = value.replace("\r\n", "")
    if "\t" in line or "  " in line:
        line = _BLANKS.sub(" ", line)
    return f"{name.lower()}:{line.strip(' ')}\r\n"


def _in_lines(signature: str) -> str:
    room = _LINE - len(" b=")
    return "\r\n ".join(signature[start : start + room] for start in range(0, len(signature), room))
