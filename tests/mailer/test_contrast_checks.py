"""Contrast checks: what cannot be read is told, in either scheme; what cannot be known is not."""

from dataclasses import replace

import pytest

from domain.projects import Project
from mailer.contrast_checks import check_contrast
from mailer.messages import Stationery
from mailer.proofs import Proof
from tests.mailer.proofing import prove, said


@pytest.fixture
def proof(stationery: Stationery, project: Project) -> Proof:
    return prove(stationery, project, "# One\n\nTwo [three](https://www.europa.eu/)\n\n> four\n\n- five")


def _with(proof: Proof, html: str, rules: str = "") -> Proof:
    style = f"<style>@media (prefers-color-scheme: dark) {{ {rules} }}</style>" if rules else ""
    return replace(proof, html=f"<html><head>{style}</head><body>{html}</body></html>")


@pytest.mark.parametrize("primary", ["#003399", "#ffcc00", "#777777", "#ffffff"])
def test_our_own_letter_can_be_read_in_both_schemes(
    stationery: Stationery, project: Project, primary: str
) -> None:
    project.branding = {"primary": primary}
    proof = prove(stationery, project, "# One\n\nTwo [three](https://www.europa.eu/)\n\n> four\n\n- five")
    assert said(check_contrast, proof) == []


def test_faint_words_are_told_once_with_their_ratio(proof: Proof) -> None:
    faint = _with(proof, '<p style="color:#999">one</p><p style="color:#999">two</p>')
    assert said(check_contrast, faint) == [
        (
            "warning low_contrast en html: “two” is #999999 on #ffffff: 2.8 to 1 in the light scheme, "
            "at least 4.5 can be read"
        )
    ]


def test_large_words_may_be_fainter(proof: Proof) -> None:
    assert said(check_contrast, _with(proof, '<p style="color:#888;font-size:24px">one</p>')) == []
    [told] = said(check_contrast, _with(proof, '<p style="color:#999;font-size:24px">one</p>'))
    assert told.endswith("at least 3 can be read")


def test_the_dark_scheme_is_computed_from_the_letters_own_rules(proof: Proof) -> None:
    html = '<div class="card" style="background:#fff"><p style="color:#111">one</p></div>'
    forgotten = _with(proof, html, ".card { background-color: #101010 !important; }")
    assert said(check_contrast, forgotten) == [
        (
            "warning low_contrast en html: “one” is #111111 on #101010: 1.0 to 1 in the dark scheme, "
            "at least 4.5 can be read"
        )
    ]
    complete = ".card { background-color: #101010 !important; } .card p { color: #eeeeee !important; }"
    assert said(check_contrast, _with(proof, html, complete)) == []


def test_a_dark_rule_that_an_inline_style_beats_changes_nothing(proof: Proof) -> None:
    html = '<div class="card" style="background:#fff"><p style="color:#111">one</p></div>'
    assert said(check_contrast, _with(proof, html, ".card { background-color: #101010; }")) == []


def test_what_cannot_be_known_is_not_guessed(proof: Proof) -> None:
    unknown = '<p style="color:var(--x)">one</p><div style="background:url(a.png)"><p>two</p></div>'
    assert said(check_contrast, _with(proof, unknown, "em { color: #111111 !important; }")) == []
