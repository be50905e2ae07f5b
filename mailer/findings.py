"""Findings: what a pre-flight tells the lead about a campaign, with the cure beside it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.languages import Language


class Severity(StrEnum):
    """What a finding does: an error stops scheduling, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Part(StrEnum):
    """Where in a campaign something was found."""

    LETTER = "letter"
    SUBJECT = "subject"
    PREHEADER = "preheader"
    HTML = "html"
    TEXT = "text"
    AUDIENCE = "audience"
    READERS = "readers"
    SETTINGS = "settings"


class Code(StrEnum):
    """What was found, in one word for scripts."""

    DOES_NOT_COMPILE = "does_not_compile"
    UNFIT_COPY = "unfit_copy"
    UNFIT_ADDRESS = "unfit_address"
    INTERNATIONAL_ADDRESS = "international_address"
    MISSING_TRANSLATION = "missing_translation"
    MISSING_PREHEADER = "missing_preheader"
    MISSING_ALT_TEXT = "missing_alt_text"
    LOW_CONTRAST = "low_contrast"
    TOO_LARGE = "too_large"
    NO_UNSUBSCRIBE_LINK = "no_unsubscribe_link"
    NO_PREFERENCES_LINK = "no_preferences_link"
    NO_FUNDING_STATEMENT = "no_funding_statement"
    NO_POSTAL_ADDRESS = "no_postal_address"
    EMPTY_SUBJECT = "empty_subject"
    LONG_SUBJECT = "long_subject"
    ALL_CAPITALS = "all_capitals"
    EXCLAMATION_MARKS = "exclamation_marks"
    IMAGES_ONLY = "images_only"
    BRACES_LEFT = "braces_left"
    INSECURE_LINK = "insecure_link"
    PLACEHOLDER_LINK = "placeholder_link"
    VAGUE_LINK = "vague_link"
    SAME_WORDS = "same_words"
    OWN_ADDRESS = "own_address"
    DEAD_LINK = "dead_link"
    UNSURE_LINK = "unsure_link"
    EMPTY_AUDIENCE = "empty_audience"
    LARGE_AUDIENCE = "large_audience"
    SMALL_AUDIENCE = "small_audience"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: in one language or, with None, in the campaign as a whole."""

    language: Language | None
    part: Part

    def __str__(self) -> str:
        """Name the place as a sentence begins with it: `sl subject`, or `audience`."""
        return f"{self.language} {self.part}" if self.language else self.part.value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; message and cure are sentences without their capital and full stop."""

    severity: Severity
    code: Code
    place: Place
    message: str
    cure: str

    def __str__(self) -> str:
        """Return place, message and cure as one line."""
        return f"{self.place}: {self.message}; {self.cure}"


def error(code: Code, place: Place, message: str, cure: str) -> Finding:
    """Return a finding that stops scheduling."""
    return Finding(Severity.ERROR, code, place, message, cure)


def warning(code: Code, place: Place, message: str, cure: str) -> Finding:
    """Return a finding that is shown."""
    return Finding(Severity.WARNING, code, place, message, cure)
