"""Faults on demand: the next call of a method fails, or its answer never arrives."""

from collections import deque
from dataclasses import dataclass

from demo.telegram.errors import RefusedError

ANY = "*"


@dataclass
class Fault:
    """What happens to a call instead of a plain answer."""

    method: str
    refusal: RefusedError | None = None
    performed: bool = False

    def meets(self, method: str) -> bool:
        return self.method in {ANY, method}


class Faults:
    """Faults that wait for their call, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def add(self, fault: Fault, count: int) -> None:
        self._waiting.extend([fault] * count)

    def take(self, method: str) -> Fault | None:
        """Return and forget the next fault for this method."""
        fault = next((fault for fault in self._waiting if fault.meets(method)), None)
        if fault:
            self._waiting.remove(fault)
        return fault
