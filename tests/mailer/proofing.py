"""Proofing: a letter made ready for the checks, and what they say of it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from domain.campaigns import Text
from domain.languages import Language
from domain.projects import Project
from mailer import letters, proofs
from mailer.findings import Finding
from mailer.issues import Issue
from mailer.letters import PersonalLetter
from mailer.messages import Stationery
from mailer.proofs import Proof

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PLENTY = "Plenty of words that say what matters to whoever reads them, one after the other. " * 4


def prove(
    stationery: Stationery,
    project: Project,
    body: str = "Hello.",
    *,
    subject: str = "News",
    preheader: str = "In short",
    language: Language = Language.ENGLISH,
) -> Proof:
    """Return the proof of a letter with that body."""
    text = Text(subject, preheader, body)
    letter = letters.compile_letter(stationery, project, language, text, template="newsletter")
    issue = Issue(stationery, 1, project, PersonalLetter(letter, language))
    return proofs.make(stationery, issue, letter, text, NOW)


def said(check: Callable[[Proof], Iterable[Finding]], proof: Proof) -> list[str]:
    """Return what a check finds, each as `severity code place: message`."""
    return [f"{each.severity} {each.code} {each.place}: {each.message}" for each in check(proof)]
