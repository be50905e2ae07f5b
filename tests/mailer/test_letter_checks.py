"""Letter checks: each finding comes when it should, and stays away when it should not."""

from dataclasses import replace

import pytest

from domain.languages import Language
from domain.projects import Project
from mailer import letter_checks, letter_views
from mailer.letter_checks import CHECKS
from mailer.messages import Stationery
from mailer.proofs import Proof
from tests.mailer.proofing import PLENTY, prove, said

PICTURE = "https://www.europa.eu/map.png"


@pytest.fixture
def proof(stationery: Stationery, project: Project) -> Proof:
    return prove(stationery, project, f"Dear {{{{ subscriber.first_name or 'reader' }}}},\n\n{PLENTY}")


def _without(proof: Proof, words: str) -> Proof:
    """Return a proof whose template would have left words out."""
    copies = tuple(
        replace(copy, html=copy.html.replace(words, ""), text=copy.text.replace(words, ""))
        for copy in proof.copies
    )
    return replace(proof, copies=copies)


@pytest.mark.parametrize("language", list(Language))
def test_a_plain_letter_gives_nothing_to_mend(
    stationery: Stationery, project: Project, language: Language
) -> None:
    proof = prove(stationery, project, PLENTY, language=language)
    assert [found for check in CHECKS for found in said(check, proof)] == []


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("News", []),
        ("N" * 60, []),
        ("N" * 61, ["warning long_subject en subject: it has 61 characters; most programs show about 60"]),
        ("N" * 151, ["error long_subject en subject: it has 151 characters, more than 150"]),
        ("{{ subscriber.first_name or 'reader' }}", []),
        (
            "{{ subscriber.first_name }}",
            ["error empty_subject en subject: it is empty for readers of whom we know little"],
        ),
        (" ", ["error empty_subject en subject: it is empty for readers of whom we know little"]),
    ],
)
def test_a_subject_is_there_and_short(
    stationery: Stationery, project: Project, subject: str, expected: list[str]
) -> None:
    proof = prove(stationery, project, subject=subject)
    assert said(letter_checks.check_subject_length, proof) == expected


@pytest.mark.parametrize(
    ("subject", "codes"),
    [
        ("INTRA", []),
        ("News from INTRA!", []),
        ("¡Buenas noticias! ¡Vengan!", []),
        ("BIG NEWS FROM INTRA", ["all_capitals"]),
        ("ГОЛЕМИ НОВИНИ", ["all_capitals"]),
        ("GREAT NEWS, {{ subscriber.first_name }}", ["all_capitals"]),
        ("Come!!", ["exclamation_marks"]),
        ("Come! See! Win!", ["exclamation_marks"]),
    ],
)
def test_a_subject_that_shouts_is_told(
    stationery: Stationery, project: Project, subject: str, codes: list[str]
) -> None:
    found = letter_checks.check_shouting(prove(stationery, project, subject=subject))
    assert [finding.code for finding in found] == codes


def test_a_paragraph_in_capitals_is_told_and_an_abbreviation_is_not(
    stationery: Stationery, project: Project
) -> None:
    loud = prove(stationery, project, "COME TO FARO AND SEE WHAT THE REGIONS DO\n\nINTRA and the ERDF")
    assert said(letter_checks.check_shouting, loud) == [
        "warning all_capitals en html: “COME TO FARO AND SEE WHAT THE REGIONS DO” is written in capitals"
    ]


def test_braces_that_readers_would_see_are_told_once(stationery: Stationery, project: Project) -> None:
    body, subject = "Dear { subscriber.name }}, 100 % {sic}", "For {{ '{{' }}you"
    proof = prove(stationery, project, body, subject=subject, preheader="At { project.name }}")
    assert said(letter_checks.check_braces, proof) == [
        "error braces_left en subject: readers see the braces of “{{you”",
        "error braces_left en preheader: readers see the braces of “{ project.name }}”",
        "error braces_left en html: readers see the braces of “{ subscriber.name }}”",
    ]


def test_a_letter_without_a_way_out_is_an_error(proof: Proof) -> None:
    assert said(letter_checks.check_ways_out, proof) == []
    locked = _without(proof, proof.links["unsubscribe_url"])
    assert said(letter_checks.check_ways_out, locked) == [
        "error no_unsubscribe_link en html: it has no link {{ unsubscribe_url }}",
        "error no_unsubscribe_link en text: it has no link {{ unsubscribe_url }}",
    ]
    fixed = _without(proof, proof.links["preferences_url"])
    assert [found.split()[1] for found in said(letter_checks.check_ways_out, fixed)] == [
        "no_preferences_link"
    ] * 2


def test_a_letter_without_the_funding_statement_is_an_error(proof: Proof) -> None:
    assert said(letter_checks.check_funding, proof) == []
    assert said(letter_checks.check_funding, _without(proof, "Funded, said in en.")) == [
        "error no_funding_statement en html: it does not show the funding statement",
        "error no_funding_statement en text: it does not show the funding statement",
    ]


def test_a_pack_without_the_statement_in_a_language_is_a_warning(
    stationery: Stationery, project: Project
) -> None:
    project.funding_statement = {"en": "Funded."}
    assert said(letter_checks.check_funding, prove(stationery, project, language=Language.ITALIAN)) == [
        (
            "warning no_funding_statement it letter: the funding statement stands there in English: "
            "the pack has it in no other"
        )
    ]
    project.funding_statement = {}
    assert said(letter_checks.check_funding, prove(stationery, project)) == [
        "warning no_funding_statement en letter: the project pack has no funding statement"
    ]


def test_a_letter_without_the_postal_address_is_an_error(proof: Proof) -> None:
    assert said(letter_checks.check_postal_address, proof) == []
    assert said(letter_checks.check_postal_address, _without(proof, "Example Street 1, Maribor")) == [
        "error no_postal_address en html: it does not show the postal address",
        "error no_postal_address en text: it does not show the postal address",
    ]


def test_what_gmail_would_cut_off_is_told_with_both_sizes(stationery: Stationery, project: Project) -> None:
    proof = prove(stationery, project, "Дълго писмо. " * 5000)
    [told] = said(letter_checks.check_size, proof)
    assert told.startswith("warning too_large en html: its HTML has ")
    assert f"the message {proof.sent_size // 1000} KB as sent" in told
    assert proof.sent_size > len(proof.copies[0].html.encode()) > letter_checks.GMAIL_SHOWS
    assert said(letter_checks.check_size, prove(stationery, project, PLENTY * 100)) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"![The six regions]({PICTURE})", []),
        (
            f"![]({PICTURE})",
            ["warning missing_alt_text en html: the image map.png says nothing to those who do not see it"],
        ),
        (
            f"[![]({PICTURE})](https://www.europa.eu/)",
            [
                (
                    "error missing_alt_text en html: the image map.png is all of a link and says nothing: "
                    "nobody knows where to"
                )
            ],
        ),
        (f"[![]({PICTURE}) The six regions](https://www.europa.eu/)", []),
        (f"[![The six regions]({PICTURE})](https://www.europa.eu/)", []),
        (
            f"{{% if subscriber.country == 'PT' %}}![]({PICTURE}){{% endif %}}",
            ["warning missing_alt_text en html: the image map.png says nothing to those who do not see it"],
        ),
    ],
)
def test_an_image_says_what_it_shows(
    stationery: Stationery, project: Project, body: str, expected: list[str]
) -> None:
    assert said(letter_checks.check_alt_texts, prove(stationery, project, body)) == expected


def test_an_image_whose_template_forgot_the_alt_text_is_an_error(proof: Proof) -> None:
    html = proof.html.replace("</body>", '<img src="https://www.europa.eu/logo.png"></body>')
    assert said(letter_checks.check_alt_texts, replace(proof, html=html)) == [
        "error missing_alt_text en html: the image logo.png has no alt text: its file name is read out"
    ]


def test_a_letter_of_images_only_is_told(stationery: Stationery, project: Project) -> None:
    image = f"![The six regions on a map]({PICTURE})"
    assert said(letter_checks.check_images_only, prove(stationery, project, image)) == [
        "warning images_only en html: it has 1 images and 0 characters of text"
    ]
    assert said(letter_checks.check_images_only, prove(stationery, project, f"{image}\n\n{PLENTY}")) == []
    assert said(letter_checks.check_images_only, prove(stationery, project, "Short.")) == []


def test_where_a_template_sets_nothing_apart_all_words_are_the_leads_own() -> None:
    assert letter_views.read("<p>One</p><p>two</p>").own_text == "One two"
