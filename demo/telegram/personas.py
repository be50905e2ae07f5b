"""The people a visitor of the chat page can be."""

import itertools

from demo.telegram.cloud import Telegram
from demo.telegram.people import LANGUAGES, Person

NAMES = {
    "en": (("Alex", "Morgan"), ("Nora", "Whelan"), ("Sam", "Ellery")),
    "sl": (("Maja", "Novak"), ("Luka", "Zupan"), ("Eva", "Kranjc")),
    "bg": (("Елена", "Петрова"), ("Димитър", "Илиев"), ("Мария", "Колева")),
    "es": (("Lucía", "Ramos"), ("Diego", "Vargas"), ("Carmen", "Ortiz")),
    "pt": (("Inês", "Faria"), ("Tiago", "Moura"), ("Rita", "Campos")),
    "it": (("Giulia", "Serra"), ("Marco", "Valli"), ("Elisa", "Conti")),
}
OWN_NAMES = {
    "en": "English",
    "sl": "Slovenščina",
    "bg": "Български",
    "es": "Español",
    "pt": "Português",
    "it": "Italiano",
}


class Personas:
    """Makes people up, a new name each time."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._counts = {language: itertools.count() for language in LANGUAGES}

    def invent(self, language: str) -> Person:
        """Return a new person whose app speaks this language."""
        names = NAMES[language]
        first_name, last_name = names[next(self._counts[language]) % len(names)]
        return self._telegram.add_user(first_name, last_name=last_name, language_code=language)


def preferred_language(accept_language: str) -> str:
    """Return the first language of the header that the app has, or English."""
    wanted = (part.split(";")[0].strip()[:2].lower() for part in accept_language.split(","))
    return next((language for language in wanted if language in LANGUAGES), "en")
