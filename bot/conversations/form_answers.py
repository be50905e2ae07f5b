"""What an answer to a step of the subscription form means."""

from difflib import get_close_matches
from enum import Enum, auto

from bot import typos
from bot.forms import Form, Step
from domain.addresses import address_of
from domain.errors import Invalid
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import FALLBACK, Language
from domain.subscribers import Channel
from wording import formats

CHANNELS = {"email": (Channel.EMAIL,), "telegram": (Channel.TELEGRAM,), "both": tuple(Channel)}
NOTHING = "none"
"""The value of "I prefer not to say"."""
_WORDS_OF_A_QUESTION = 3
_ALIKE = 0.8


class Taken(Enum):
    """What became of a typed text."""

    YES = auto()
    ASK = auto()
    MISREAD = auto()
    NOT_MINE = auto()


def press(form: Form, value: str, *, topics: list[str]) -> bool:
    """Take the value of a button of the present step; True when the step is answered."""
    match form.step:
        case Step.CHANNEL:
            form.channels = CHANNELS.get(value, ())
            return bool(form.channels)
        case Step.EMAIL:
            return _settle_guess(form, value)
        case Step.HELIX:
            return _choose_helix(form, value)
        case Step.TARGET:
            form.target = TargetGroup(value) if value in set(TargetGroup) else None
        case Step.COUNTRY:
            form.country = value if len(value) == 2 else None
        case _:
            return _toggle(form, value, topics)
    return True


def read(form: Form, text: str, language: Language) -> Taken:
    """Take a typed text where the present step waits for one."""
    match form.step:
        case Step.EMAIL:
            return _read_email(form, text)
        case Step.COUNTRY:
            return _read_country(form, text, language)
        case _:
            return Taken.NOT_MINE


def _settle_guess(form: Form, value: str) -> bool:
    if value == "guess" and form.guess:
        form.email = form.guess
    form.guess = ""
    return bool(form.email)


def _choose_helix(form: Form, value: str) -> bool:
    form.helix = HelixGroup(value) if value in set(HelixGroup) else None
    form.target = TargetGroup.OTHER if value == TargetGroup.OTHER else None
    return True


def _toggle(form: Form, value: str, topics: list[str]) -> bool:
    if not (value.isascii() and value.isdigit()):
        return True
    wanted = set(form.topics) ^ set(topics[int(value) : int(value) + 1])
    form.topics = tuple(topic for topic in topics if topic in wanted)
    return False


def _read_email(form: Form, text: str) -> Taken:
    try:
        form.email = address_of(text).email
    except Invalid:
        return Taken.NOT_MINE if "@" not in text and _is_a_question(text) else Taken.MISREAD
    form.guess = typos.guess(form.email) or ""
    return Taken.ASK if form.guess else Taken.YES


def _read_country(form: Form, text: str, language: Language) -> Taken:
    code = _country_of(text, language)
    if code is None:
        return Taken.NOT_MINE if _is_a_question(text) else Taken.MISREAD
    form.country = code
    return Taken.YES


def _country_of(text: str, language: Language) -> str | None:
    """Return the code of a country named in the chat's language or in English, a slip allowed."""
    names = {
        name.casefold(): code for spoken in (FALLBACK, language) for code, name in formats.countries(spoken)
    }
    asked = text.strip().casefold()
    if len(asked) == 2 and asked.upper() in names.values():
        return asked.upper()
    close = get_close_matches(asked, names, n=1, cutoff=_ALIKE)
    return names[close[0]] if close else None


def _is_a_question(text: str) -> bool:
    return text.rstrip().endswith("?") or len(text.split()) > _WORDS_OF_A_QUESTION
