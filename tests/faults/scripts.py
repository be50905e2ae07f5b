"""Scripts: what a relay does to whom, and at which moment of a conversation."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

EVERYONE = "*"
LONG = "x" * 700
"""Makes a reply longer than the 512 octets of RFC 5321, 4.5.3.1.5."""


class Moment(StrEnum):
    """Where in a conversation a script strikes; before RCPT nobody knows for whom a letter is."""

    GREETING = "greeting"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """The letter's first octets have come."""
    END = "end"
    """The letter's final dot has come."""
    ANSWERED = "answered"
    """The letter is taken and its answer is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What happens instead of the ordinary answer, or around it."""

    reply: str | None = None
    """Instead of the ordinary answer; each of its lines is one of a multi-line reply."""
    raw: bytes | None = None
    """Octets instead of any answer."""
    hangs_up: bool = False
    """After the reply, or without any when there is none."""
    silent: bool = False
    seconds: float = 0.0
    """To wait before the answer."""
    until: asyncio.Event | None = None
    """To wait for before the answer."""
    dribbles: bool = False
    """The answer comes in single octets."""
    echo: bytes = b""
    """Octets right after the answer: an answer to nothing."""
    keeps: bool = False
    """At END: the letter is taken although nobody is told so."""
    call: Callable[[], None] | None = None
    """Called before the answer."""


ORDINARY = Act()


@dataclass(frozen=True, slots=True)
class Part:
    """What a recipient's name stands for: these acts, for its first so many letters or for all."""

    acts: Mapping[Moment, Act]
    times: int | None = None


def says(reply: str) -> Act:
    """Answer with this; a 421 also ends the connection, as RFC 5321, 3.8, wants it."""
    return Act(reply=reply, hangs_up=reply.startswith("421"))


def calls(call: Callable[[], None]) -> Act:
    """Let something happen at that moment, then answer as usual."""
    return Act(call=call)


HANGS_UP = Act(hangs_up=True)
KEEPS_AND_HANGS_UP = Act(hangs_up=True, keeps=True)
SILENT = Act(silent=True)
SLOW = Act(seconds=0.2)
DRIBBLES = Act(dribbles=True)
BABBLES = Act(raw=b"good morning to you\r\n")
ENDLESS = Act(raw=b"250-" + b"x" * 70_000)
"""Longer than anybody reads, and without an end of line."""
ENDLESS_LINES = Act(raw=b"250-more\r\n" * 7_000)
ANSWERS_TWICE = Act(echo=b"250 2.0.0 once more\r\n")
SAYS_GOODBYE = Act(reply="250 2.0.0 taken", echo=b"421 4.4.2 closing\r\n", keeps=True, hangs_up=True)
"""As a relay does that has had enough, without being asked anything."""
HALF_ANSWERS = Act(raw=b"250 2.0", hangs_up=True)

_REFUSALS = (
    "421 4.3.2 closing",
    "450 4.2.1 greylisted",
    "451 4.3.0 local error",
    "452 4.2.2 no room",
    "550 5.1.1 no such user",
    "550 5.7.1 we refuse you",
    "552 5.2.2 mailbox full",
)


def _refusals() -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for reply in _REFUSALS:
        code, enhanced, _ = reply.split(maxsplit=2)
        name = f"{code}-{enhanced}" if code == "550" else code
        for moment in (Moment.RCPT, Moment.END):
            parts[f"{name}-at-{moment}"] = Part({moment: says(reply)}, 1 if code < "500" else None)
    return parts


PARTS: dict[str, Part] = {
    **_refusals(),
    "421-at-data": Part({Moment.DATA: says("421 4.3.2 closing")}, 1),
    "451-at-data": Part({Moment.DATA: says("451 4.3.0 local error")}, 1),
    "554-at-data": Part({Moment.DATA: says("554 5.6.0 no letters today")}),
    "550-and-hangs-up": Part({Moment.RCPT: Act(reply="550 5.1.1 no such user", hangs_up=True)}),
    "250-at-data": Part({Moment.DATA: Act(raw=b"250 2.0.0 fine\r\n")}, 1),
    "354-at-end": Part({Moment.END: says("354 go on")}, 1),
    "drop-at-rcpt": Part({Moment.RCPT: HANGS_UP}, 2),
    "drop-at-data": Part({Moment.DATA: HANGS_UP}, 1),
    "drop-in-body": Part({Moment.BODY: HANGS_UP}, 1),
    "drop-at-end": Part({Moment.END: HANGS_UP}, 1),
    "drop-when-kept": Part({Moment.END: KEEPS_AND_HANGS_UP}, 1),
    "silent-at-rcpt": Part({Moment.RCPT: SILENT}, 1),
    "silent-at-data": Part({Moment.DATA: SILENT}, 1),
    "silent-at-end": Part({Moment.END: SILENT}, 1),
    "slow": Part({Moment.RCPT: SLOW, Moment.DATA: SLOW, Moment.END: SLOW}),
    "dribble": Part({Moment.RCPT: DRIBBLES, Moment.DATA: DRIBBLES, Moment.END: DRIBBLES}),
    "many-lines": Part(
        {
            Moment.RCPT: says("250 2.1.5 you\n2.1.5 are\n2.1.5 welcome"),
            Moment.END: Act(reply="250 2.0.0 taken\n2.0.0 with thanks", keeps=True),
        }
    ),
    "long": Part(
        {
            Moment.RCPT: says(f"250 2.1.5 {LONG}"),
            Moment.END: Act(reply=f"250 2.0.0 {LONG}", keeps=True),
        }
    ),
    "long-refusal": Part({Moment.RCPT: says(f"550 5.1.1 {LONG}")}),
    "garbage-at-rcpt": Part({Moment.RCPT: BABBLES}, 1),
    "garbage-at-data": Part({Moment.DATA: BABBLES}, 1),
    "garbage-at-end": Part({Moment.END: BABBLES}, 1),
    "half-at-rcpt": Part({Moment.RCPT: HALF_ANSWERS}, 1),
    "half-at-end": Part({Moment.END: HALF_ANSWERS}, 1),
    "endless-at-rcpt": Part({Moment.RCPT: ENDLESS}, 1),
    "endless-at-end": Part({Moment.END: ENDLESS}, 1),
    "endless-lines-at-rcpt": Part({Moment.RCPT: ENDLESS_LINES}, 1),
    "421-after-end": Part({Moment.END: SAYS_GOODBYE}, 1),
    "twice-at-rcpt": Part({Moment.RCPT: ANSWERS_TWICE}, 1),
    "twice-at-end": Part({Moment.END: replace(ANSWERS_TWICE, keeps=True)}, 1),
}
"""The parts that a recipient plays by its name: `450-at-rcpt@example.org`, also `450-at-rcpt+7@…`."""


class Scripts:
    """What is still to happen, by recipient; several acts for one moment happen in the order given."""

    def __init__(self, parts: Mapping[str, Part] = PARTS) -> None:
        """Know the parts that recipients play by their names."""
        self._parts = parts
        self._played: Counter[tuple[str, Moment]] = Counter()
        self._planned: defaultdict[tuple[str, Moment], deque[Act]] = defaultdict(deque)

    def plan(self, who: str, moment: Moment, act: Act, *, times: int = 1) -> None:
        """Do this the next `times` that it is this recipient's turn; `*` is everyone."""
        self._planned[who, moment].extend([act] * times)

    def heal(self) -> None:
        """Forget everything: from now on nobody is treated badly."""
        self._planned.clear()
        self._parts = {}

    def take(self, recipients: Iterable[str], moment: Moment) -> Act:
        """Return what happens now to the first of the recipients who has a script for it."""
        for who in (*recipients, EVERYONE):
            if planned := self._planned.get((who, moment)):
                return planned.popleft()
            part = self._parts.get(name_of(who))
            if part and moment in part.acts and part.times != self._played[who, moment]:
                self._played[who, moment] += 1
                return part.acts[moment]
        return ORDINARY


def name_of(address: str) -> str:
    """Return the part that an address plays: its local part up to a plus sign."""
    return address.partition("@")[0].partition("+")[0]
