"""Lists that do not fit into one message: a page at a time, turned by buttons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.replies import Rows
from bot.turns import Turn

Item = TypeVar("Item")
SIZE = 6
_LONGEST_NUMBER = 19
_LARGEST_ROW = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some entries of a list; `number` counts from 0."""

    entries: Sequence[Item]
    number: int
    last: int

    def turners(self, turn: Turn, prefix: str) -> Rows:
        """Return the buttons to the neighbouring pages; they carry `prefix:number`."""
        row = []
        if self.number > 0:
            row.append(turn.button("previous_page", f"{prefix}:{self.number - 1}"))
        if self.number < self.last:
            row.append(turn.button("next_page", f"{prefix}:{self.number + 1}"))
        return (tuple(row),) if row else ()


def page_of(entries: Sequence[Item], number: int, size: int = SIZE) -> Page[Item]:
    """Return a page of the list; a number beyond its ends gives the nearest page."""
    last = max(0, (len(entries) - 1) // size)
    number = min(max(number, 0), last)
    return Page(entries[number * size : (number + 1) * size], number, last)


def number_in(arguments: list[str], place: int = 0) -> int:
    """Return a number that a button carried; 0 where there is none that a row could have."""
    text = arguments[place] if len(arguments) > place else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else 0
    return number if number <= _LARGEST_ROW else 0
