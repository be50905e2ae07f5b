"""What goes wrong on purpose: scripted replies and dropped connections, per address."""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

EVERYONE = "*"
CONTROL_CHARACTERS_END = 0x20


class Moment(StrEnum):
    """Where in an SMTP transaction a fault strikes."""

    RCPT = "rcpt"
    BEFORE_DATA = "before_data"
    IN_DATA = "in_data"
    AFTER_DATA = "after_data"


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP answer such as `Reply(450, "4.2.0 greylisted")`; a 421 also ends the connection."""

    code: int
    text: str = "scripted by the demo"

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599 or any(ord(c) < CONTROL_CHARACTERS_END for c in self.text):
            raise ValueError("a reply is a code from 200 to 599 and one line of text")

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(slots=True)
class Fault:
    """A planned answer, or a dropped connection where `reply` is None; `times` None means always."""

    reply: Reply | None
    times: int | None

    def use(self) -> None:
        if self.times is not None:
            self.times -= 1

    @property
    def spent(self) -> bool:
        return self.times is not None and self.times <= 0


class Faults:
    """The faults still to come; several for one address and moment strike in the order given."""

    def __init__(self) -> None:
        self._planned: defaultdict[tuple[str, Moment], deque[Fault]] = defaultdict(deque)

    def plan(self, address: str, moment: Moment, fault: Fault) -> None:
        if fault.spent:
            raise ValueError("a fault strikes at least once")
        self._planned[address.casefold(), moment].append(fault)

    def take(self, addresses: list[str], moment: Moment) -> Fault | None:
        """Use up and return the next fault for the first of the addresses that has one."""
        for address in (*addresses, EVERYONE):
            if planned := self._planned.get((address.casefold(), moment)):
                return _use_first(planned)
        return None

    def clear(self) -> None:
        self._planned.clear()


def _use_first(planned: deque[Fault]) -> Fault:
    fault = planned[0]
    fault.use()
    if fault.spent:
        planned.popleft()
    return fault
