"""The errors that the domain raises; doors translate them for their side.

DomainError
├── NotFound     nothing with that name or number
├── NotAllowed   the state forbids it (carries the state)
├── Invalid      input that cannot be right (carries the field and the reason)
└── Problems     several of the above, found in one reading
"""

from collections.abc import Sequence


class DomainError(Exception):
    """Something that the person who asked can understand and mend."""


class NotFound(DomainError):
    """Nothing with that name or number."""

    def __init__(self, kind: str, name: object) -> None:
        """Name the kind of thing and what it was looked up by."""
        super().__init__(f"there is no {kind} {name}")


class NotAllowed(DomainError):
    """The state forbids it."""

    def __init__(self, reason: str, *, state: str) -> None:
        """Say why, and carry the state in which it was asked."""
        super().__init__(reason)
        self.state = state


class Invalid(DomainError):
    """Input that cannot be right."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field (or `file:line`) and say what is wrong and how to cure it."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Problems(DomainError):
    """Several things that cannot be right, found in one reading."""

    def __init__(self, problems: Sequence[Invalid]) -> None:
        """Carry every problem; the message lists them one a line."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
