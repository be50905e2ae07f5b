"""Text into terms: folded, stemmed, and joined where several words stand for one concept."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import simplemma
import snowballstemmer

from domain.languages import Language
from wording.formats import locale_of

DATA = Path(__file__).parent / "data"
LONGEST_QUESTION = 2_000
"""Characters of a question that are read; what comes after rarely changes what is asked."""
MOST_TERMS = 64
"""Terms of one question that are looked up: bounds the work whatever is sent."""
_LONGEST_CONCEPT = 5
_SNOWBALL = {
    Language.ENGLISH: "english",
    Language.SPANISH: "spanish",
    Language.PORTUGUESE: "portuguese",
    Language.ITALIAN: "italian",
}
_STEMMERS = {language: snowballstemmer.stemmer(name) for language, name in _SNOWBALL.items()}
_WORD = re.compile(r"[^\W_]+")
_PLURAL_OF_CAPITALS = re.compile(r"\b([A-Z]{2,})s\b")
_THOUSANDS = re.compile(r"(?<=\d)[.,\u00a0\u202f](?=\d{3}\b)")


@dataclass(frozen=True, slots=True)
class Word:
    """A term of a text: a stem or a `#concept`, and how it was written."""

    term: str
    text: str
    is_name: bool = False
    """Whether it is written as a name: with capitals, not at the beginning of a sentence."""

    @property
    def is_number(self) -> bool:
        """Whether it holds a digit: a year, an amount, a code."""
        return any(letter.isdigit() for letter in self.text)


def clean(text: str) -> str:
    """Return the text that is read: normalised, without invisible characters, of bounded length."""
    visible = (letter for letter in text[: 4 * LONGEST_QUESTION] if unicodedata.category(letter) != "Cf")
    joined = unicodedata.normalize("NFKC", "".join(visible))
    return " ".join(joined.split())[:LONGEST_QUESTION]


def fold(text: str) -> str:
    """Return the text in small letters without accents, as people type it in a hurry.

    Only Latin letters lose their marks: in Cyrillic, й is a letter of its own.
    """
    decomposed = unicodedata.normalize("NFD", text.casefold())
    kept: list[str] = []
    for letter in decomposed:
        if unicodedata.combining(letter) and kept and kept[-1].isascii():
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


@lru_cache(maxsize=50_000)
def stem(word: str, language: Language) -> str:
    """Return the stem of one word in small letters: Snowball, or the lemma for sl and bg."""
    if any(letter.isdigit() for letter in word):
        return fold(word)
    if language in _STEMMERS:
        return fold(_STEMMERS[language].stemWord(word))
    return fold(simplemma.lemmatize(word, lang=language.value).lower())


def words_of(text: str, language: Language) -> list[Word]:
    """Return the terms of a cleaned text, without stop words, at most `MOST_TERMS` of them."""
    lexicon = lexicon_of(language)
    raw = list(_raw_words(text))
    stems = [stem(word.casefold(), language) for word, _ in raw]
    found: list[Word] = []
    position = 0
    while position < len(raw) and len(found) < MOST_TERMS:
        concept, length = lexicon.concept_at(stems, position)
        written = " ".join(word for word, _ in raw[position : position + length])
        if concept:
            found.append(Word(f"#{concept}", written))
        elif not lexicon.is_stop(written) or _is_month(raw, position, language):
            found.append(Word(stems[position], written, raw[position][1]))
        position += length
    return found


@lru_cache(maxsize=len(Language))
def months_of(language: Language) -> dict[str, int]:
    """Return the months by every folded form in which the language writes them."""
    known = locale_of(language).months
    return {
        fold(name): number
        for width in ("format", "stand-alone")
        for number, name in known[width]["wide"].items()
    }


def _is_month(raw: Sequence[tuple[str, bool]], position: int, language: Language) -> bool:
    """Whether a stop word is a month after all: "May 2018"."""
    followed = position + 1 < len(raw) and raw[position + 1][0].isdigit()
    return followed and fold(raw[position][0]) in months_of(language)


def terms_of(text: str, language: Language) -> frozenset[str]:
    """Return the set of terms of a text."""
    return frozenset(word.term for word in words_of(text, language))


def _raw_words(text: str) -> Iterator[tuple[str, bool]]:
    if text.isupper():
        text = text.lower()  # shouting names nobody
    text = _PLURAL_OF_CAPITALS.sub(r"\1", _THOUSANDS.sub("", text))
    end_of_sentence = True
    last = 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        end_of_sentence = end_of_sentence or any(mark in between for mark in ".?!:")
        last, word = match.end(), match[0]
        if len(word) > 1 or word.isdigit():
            yield word, word[0].isupper() and (not end_of_sentence or word[1:].isupper())
        end_of_sentence = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The stop words and concepts of one language."""

    stop: frozenset[str]
    concepts: dict[tuple[str, ...], str]

    def is_stop(self, word: str) -> bool:
        """Whether a word says nothing about what is asked."""
        return word.casefold() in self.stop

    def knows(self, word: str, language: Language) -> bool:
        """Whether a word is one of the language's stop words or stands for a concept."""
        return self.is_stop(word) or (stem(word.casefold(), language),) in self.concepts

    def concept_at(self, stems: Sequence[str], position: int) -> tuple[str | None, int]:
        """Return the longest concept that begins there and its number of words, else None and one."""
        for length in range(min(_LONGEST_CONCEPT, len(stems) - position), 0, -1):
            concept = self.concepts.get(tuple(stems[position : position + length]))
            if concept:
                return concept, length
        return None, 1


@lru_cache(maxsize=len(Language))
def lexicon_of(language: Language) -> Lexicon:
    """Return the lexicon of a language, read once."""
    data = tomllib.loads((DATA / "words.toml").read_text(encoding="utf-8"))
    concepts: dict[tuple[str, ...], str] = {}
    for name, texts in data["concepts"].items():
        for phrase in texts[language.value].split(","):
            words = tuple(stem(word.casefold(), language) for word, _ in _raw_words(phrase))
            concepts.setdefault(words, name)
    return Lexicon(stop=frozenset(data["stop"][language.value].split()), concepts=concepts)
