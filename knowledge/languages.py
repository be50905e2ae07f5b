"""Which of our languages a question is in: its letters decide, the chat's language breaks ties."""

import re
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from domain.languages import Language
from knowledge.words import lexicon_of

FEWEST_LETTERS = 12
FEWEST_WORDS = 3
"""Shorter questions ("PIMEX?", "lista de documentos") are told by their words, not by their letters."""
_WORD = re.compile(r"[^\W_]+")
MOST_WORDS_COUNTED = 8
SURE = 0.8
"""Below this probability the chat's language is the better guess."""


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([language.value for language in Language])
    return identifier


def language_of_question(text: str, prior: Language) -> Language:
    """Return the language of a cleaned question; `prior` is that of the person's chat."""
    letters = [letter for letter in text if letter.isalpha()]
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in letters)
    if cyrillic * 2 > len(letters):
        return Language.BULGARIAN
    if len(letters) < FEWEST_LETTERS or len(text.split()) < FEWEST_WORDS:
        return _by_words(text, prior)
    name, probability = _identifier().classify(text)
    found = Language(name)
    # The one language of ours in Cyrillic was ruled out by its letters.
    if found is Language.BULGARIAN or probability < SURE:
        return _by_words(text, prior)
    return found


def _by_words(text: str, prior: Language) -> Language:
    """Return the language that knows most of the words; the chat's own unless another knows more."""
    words = _WORD.findall(text)[:MOST_WORDS_COUNTED]
    known = {
        language: sum(lexicon_of(language).knows(word, language) for word in words) for language in Language
    }
    most = max(known.values())
    best = [language for language, number in known.items() if number == most]
    if prior in best:
        return prior
    guess = Language(_identifier().classify(text)[0])
    return guess if guess in best else best[0]
