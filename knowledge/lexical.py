"""The lexical index: items found by the words they share with a question, in six languages.

Each item has a view per phrasing, one for its title and one for its text. A question and a phrasing
are compared by the cosine of their terms, weighted by rarity (IDF); the text counts by BM25. A word
that the index does not know is first looked up by its letter trigrams, for typing mistakes.

The constants below were chosen on the pack's own phrasings, never on a file of test questions: each
phrasing was asked while it was left out of the index (is its item found?), and again while its whole
item was left out (is it refused?). `tests/knowledge/test_calibration.py` repeats that measurement.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.languages import Language
from knowledge.words import Word, clean, lexicon_of, stem, words_of

SHARES = {"phrasing": 0.35, "coverage": 0.4, "text": 0.25}
"""How much the best phrasing, the share of the question that is covered, and BM25 count."""
SATURATION, LENGTH = 1.2, 0.6
"""BM25's k1 and b."""
TITLE_SHARE = 0.9
"""A title counts as a phrasing, a little less: it seldom has the form of a question."""
MISSING_NAME = 0.1
"""What a name or number of the question that an item does not contain takes from its score."""
MOST_MISSING_NAMES = 2
FOREIGN_SHARE = 0.85
"""What a match counts in English when the question is in another language."""
TYPO_SHARE = 0.8
SHORTEST_TYPO = 5
NEAR_ENOUGH = 0.45
"""Dice's coefficient of two words' trigrams from which one is read as a misspelling of the other."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the index needs to know of an item in one language."""

    key: str
    title: str
    body: str
    phrasings: tuple[str, ...]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An item that was found."""

    key: str
    language: Language
    score: float
    closeness: float
    """The cosine with the best phrasing alone: 1 when the question is one of them."""
    is_gap: bool
    """Whether the best phrasing asks for what the item says is not known."""
    missing: float
    """The share of the question, by rarity, that the item does not contain."""
    missing_names: int
    """Names and numbers in the question that the item does not contain."""


@dataclass(slots=True)
class _View:
    number: int
    share: float
    is_gap: bool
    terms: frozenset[str]
    norm: float = 0.0


@dataclass(slots=True)
class _Document:
    key: str
    counts: Counter[str]
    length: float
    terms: set[str] = field(default_factory=set)


class LanguageIndex:
    """The passages of one language."""

    def __init__(self, language: Language, passages: Sequence[Passage]) -> None:
        """Index the passages; their keys are told apart by whoever asks."""
        self.language = language
        self._documents: list[_Document] = []
        self._views: list[_View] = []
        for number, passage in enumerate(passages):
            self._add(number, passage)
        self._weights = self._rarity()
        self._unknown = math.log(1 + (len(passages) + 0.5) / 0.5)
        self._average = sum(document.length for document in self._documents) / max(len(passages), 1)
        self._postings: dict[str, list[_View]] = defaultdict(list)
        for view in self._views:
            view.norm = math.sqrt(sum(self._weights[term] ** 2 for term in view.terms))
            for term in view.terms:
                self._postings[term].append(view)
        self._spellings = self._spelt()
        self._trigrams: dict[str, set[str]] = defaultdict(set)
        for spelling in self._spellings:
            for trigram in _trigrams_of(spelling):
                self._trigrams[trigram].add(spelling)

    def search(self, words: Sequence[Word]) -> list[Match]:
        """Return the items that share a term with the question, best first."""
        asked = self._asked(words)
        if not asked or not self._documents:
            return []
        weights = {term: self._weights.get(term, self._unknown) * share for term, (share, _) in asked.items()}
        total = sum(weights.values())
        closest = self._closest(weights)
        matches = [
            self._match(number, view, closeness, weights=weights, asked=asked, total=total)
            for number, (closeness, view) in self._candidates(weights, closest).items()
        ]
        return sorted(matches, key=lambda match: (-match.score, match.key))

    def _add(self, number: int, passage: Passage) -> None:
        title = frozenset(word.term for word in words_of(passage.title, self.language))
        views = [_View(number, TITLE_SHARE, is_gap=False, terms=title)]
        for is_gap, phrasings in ((False, passage.phrasings), (True, passage.gaps)):
            for phrasing in phrasings:
                terms = frozenset(word.term for word in words_of(phrasing, self.language))
                views.append(_View(number, 1.0, is_gap=is_gap, terms=terms))
        counts = Counter(word.term for part in _parts(passage.body) for word in words_of(part, self.language))
        document = _Document(passage.key, counts, sum(counts.values()), set(counts))
        document.terms.update(*(view.terms for view in views))
        self._documents.append(document)
        self._views += [view for view in views if view.terms]

    def _rarity(self) -> dict[str, float]:
        found = Counter(term for document in self._documents for term in document.terms)
        number = len(self._documents)
        return {term: math.log(1 + (number - count + 0.5) / (count + 0.5)) for term, count in found.items()}

    def _spelt(self) -> dict[str, str]:
        """Return every stem that may be meant by a misspelt one, and the term it stands for."""
        concepts = lexicon_of(self.language).concepts
        spelt = {words[0]: f"#{concept}" for words, concept in concepts.items() if len(words) == 1}
        known = {spelling: term for spelling, term in spelt.items() if term in self._weights}
        return known | {term: term for term in self._weights if not term.startswith("#")}

    def _asked(self, words: Sequence[Word]) -> dict[str, tuple[float, bool]]:
        """Return the question's terms with the trust in each and whether it is a name or number."""
        asked: dict[str, tuple[float, bool]] = {}
        for word in words:
            term, share = word.term, 1.0
            if term not in self._weights:
                near = self._nearest(term) if len(term) >= SHORTEST_TYPO and not word.is_number else None
                term, share = (near, TYPO_SHARE) if near else (term, 1.0)
            asked.setdefault(term, (share, word.is_name or word.is_number))
        return asked

    def _nearest(self, term: str) -> str | None:
        own = _trigrams_of(term)
        shared = Counter(known for trigram in own for known in self._trigrams.get(trigram, ()))
        best = max(
            ((2 * count / (len(own) + len(_trigrams_of(known))), known) for known, count in shared.items()),
            default=(0.0, ""),
        )
        return self._spellings[best[1]] if best[0] >= NEAR_ENOUGH else None

    def _closest(self, weights: Mapping[str, float]) -> dict[int, tuple[float, _View]]:
        norm = math.sqrt(sum(weight**2 for weight in weights.values()))
        shared: dict[int, float] = defaultdict(float)
        views: dict[int, _View] = {}
        for term, weight in weights.items():
            for view in self._postings.get(term, ()):
                shared[id(view)] += weight * self._weights[term]
                views[id(view)] = view
        best: dict[int, tuple[float, _View]] = {}
        for mark, product in shared.items():
            view = views[mark]
            closeness = min(1.0, view.share * product / (norm * view.norm)) if view.norm else 0.0
            if closeness > best.get(view.number, (0.0, view))[0]:
                best[view.number] = (closeness, view)
        return best

    def _candidates(
        self, weights: Mapping[str, float], closest: Mapping[int, tuple[float, _View]]
    ) -> dict[int, tuple[float, _View | None]]:
        found: dict[int, tuple[float, _View | None]] = dict(closest)
        for number, document in enumerate(self._documents):
            if number not in found and any(term in document.counts for term in weights):
                found[number] = (0.0, None)
        return found

    def _match(
        self,
        number: int,
        view: _View | None,
        closeness: float,
        *,
        weights: Mapping[str, float],
        asked: Mapping[str, tuple[float, bool]],
        total: float,
    ) -> Match:
        document = self._documents[number]
        covered = sum(weight for term, weight in weights.items() if term in document.terms)
        missing_names = sum(
            1 for term, (_, special) in asked.items() if special and term not in document.terms
        )
        score = (
            SHARES["phrasing"] * closeness
            + SHARES["coverage"] * covered / total
            + SHARES["text"] * self._text_score(document, weights) / total
            - MISSING_NAME * min(missing_names, MOST_MISSING_NAMES)
        )
        return Match(
            key=document.key,
            language=self.language,
            score=score,
            closeness=closeness,
            is_gap=view is not None and view.is_gap,
            missing=1 - covered / total,
            missing_names=missing_names,
        )

    def _text_score(self, document: _Document, weights: Mapping[str, float]) -> float:
        """Return BM25 over the text, scaled so that every term at its limit gives the total weight."""
        room = SATURATION * (1 - LENGTH + LENGTH * document.length / (self._average or 1))
        return sum(
            weight * document.counts[term] / (document.counts[term] + room)
            for term, weight in weights.items()
            if term in document.counts
        )


class Index:
    """Every language's index, and the way from one language to English."""

    def __init__(self, passages: Mapping[Language, Sequence[Passage]]) -> None:
        """Index every item in every language it has."""
        self._languages = {
            language: LanguageIndex(language, found) for language, found in passages.items() if found
        }

    def search(self, question: str, language: Language) -> list[Match]:
        """Return the items for a question, best first, each in the language in which it was found.

        A question in another language is also tried on the English texts: names, numbers and the
        words that stand for a concept are the same there.
        """
        text = clean(question)
        found: dict[str, Match] = {}
        for tried, share in ((language, 1.0), (Language.ENGLISH, FOREIGN_SHARE)):
            index = self._languages.get(tried)
            if index is None or (tried is Language.ENGLISH and share < 1 and language is tried):
                continue
            for match in index.search(_words_in(tried, text, language)):
                weighed = _weighed(match, share)
                if match.key not in found or weighed.score > found[match.key].score:
                    found[match.key] = weighed
        return sorted(found.values(), key=lambda match: (-match.score, match.key))


def _words_in(tried: Language, text: str, language: Language) -> list[Word]:
    words = words_of(text, language)
    if tried is language:
        return words
    return [
        word
        if word.term.startswith("#")
        else Word(stem(word.text.casefold(), tried), word.text, word.is_name)
        for word in words
    ]


def _weighed(match: Match, share: float) -> Match:
    return Match(
        key=match.key,
        language=match.language,
        score=match.score * share,
        closeness=match.closeness * share,
        is_gap=match.is_gap,
        missing=match.missing,
        missing_names=match.missing_names,
    )


def _trigrams_of(term: str) -> set[str]:
    padded = f" {term} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def _parts(body: str) -> Iterable[str]:
    """Return a text line by line: terms of one line are bounded, those of a whole text are not."""
    return (clean(line) for line in body.splitlines() if line.strip())
