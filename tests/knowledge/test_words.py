import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.languages import Language
from knowledge.languages import language_of_question
from knowledge.lexical import LanguageIndex, Passage
from knowledge.words import LONGEST_QUESTION, MOST_TERMS, clean, fold, terms_of, words_of


@given(st.text(max_size=3_000), st.sampled_from(list(Language)))
def test_any_text_becomes_a_bounded_number_of_terms(text: str, language: Language) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LONGEST_QUESTION
    words = words_of(cleaned, language)
    assert len(words) <= MOST_TERMS
    assert all(word.term for word in words)


def test_words_of_one_concept_are_one_term_in_every_language() -> None:
    said = {
        Language.ENGLISH: "the lead partners",
        Language.SLOVENIAN: "vodilnega partnerja",
        Language.SPANISH: "el socio principal",
        Language.PORTUGUESE: "o parceiro líder",
        Language.ITALIAN: "il capofila",
    }
    assert {terms_of(text, language) for language, text in said.items()} == {frozenset({"#lead_partner"})}


def test_thousands_are_one_number_however_they_are_written() -> None:
    english, spanish = (terms_of(text, Language.ENGLISH) for text in ("EUR 1,640,062", "EUR 1.640.062"))
    assert english == spanish
    assert "1640062" in english


def test_a_month_before_a_year_is_not_the_word_may() -> None:
    assert "may" in terms_of("events in May 2018", Language.ENGLISH)
    assert "may" not in terms_of("May I join an event?", Language.ENGLISH)


def test_accents_fold_in_latin_and_stay_in_cyrillic() -> None:
    assert fold("Évora") == "evora"
    assert fold("който") == "който"


@pytest.mark.parametrize(
    ("text", "prior", "expected"),
    [
        ("Katera podjetja so sodelovala pri projektu?", Language.ENGLISH, Language.SLOVENIAN),
        ("Кои са партньорите?", Language.ENGLISH, Language.BULGARIAN),
        ("¿Cuándo se celebró la primera reunión?", Language.ITALIAN, Language.SPANISH),
        ("Quais foram os resultados do projeto?", Language.SPANISH, Language.PORTUGUESE),
        ("Quali documenti sono stati pubblicati?", Language.ENGLISH, Language.ITALIAN),
        ("Which documents were published?", Language.SLOVENIAN, Language.ENGLISH),
        ("PIMEX?", Language.SPANISH, Language.SPANISH),
        ("partner", Language.SLOVENIAN, Language.SLOVENIAN),
        ("¿Qué es CRIA?", Language.ENGLISH, Language.SPANISH),
    ],
)
def test_the_question_tells_its_language_and_the_chat_breaks_ties(
    text: str, prior: Language, expected: Language
) -> None:
    assert language_of_question(text, prior) is expected


def test_a_misspelt_word_finds_what_was_meant() -> None:
    passages = [
        Passage("budget", "Budget", "The budget is EUR 100.", ("How big is the budget?",)),
        Passage("steering", "Steering Committee", "It decides.", ("Who steers?",)),
    ]
    index = LanguageIndex(Language.ENGLISH, passages)
    for question, key in (("the comittee", "steering"), ("the budgett", "budget")):
        assert index.search(words_of(question, Language.ENGLISH))[0].key == key
    assert index.search(words_of("a banana", Language.ENGLISH)) == []


def test_names_and_numbers_that_an_item_lacks_are_counted() -> None:
    passages = [Passage("visit", "Visit to Varna", "In 2016 we went to Varna.", ("When was the visit?",))]
    index = LanguageIndex(Language.ENGLISH, passages)
    (known,) = index.search(words_of("Was the visit to Varna in 2016?", Language.ENGLISH))
    (other,) = index.search(words_of("Was the visit to Vienna in 2019?", Language.ENGLISH))
    assert (known.missing_names, other.missing_names) == (0, 2)
    assert known.score > other.score
