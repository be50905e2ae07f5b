"""Questions about partners, answered from their table: by role, name, place, and how many."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import events, projects
from domain.languages import Language
from domain.projects import Partner, Project, Role
from knowledge.asked import Asked
from knowledge.outcomes import LOOKED_UP, Answer, Outcome, references_of, sources_of
from knowledge.words import terms_of
from wording import formats
from wording.texts import Texts

_LEAD = frozenset({"lead_partner", "lead", "partner", "who", "project", "responsible", "country", "where"})
_COMMUNICATION = frozenset({"communication", "partner", "who", "responsible", "lead", "project", "task"})
_FRAME = frozenset(
    {
        "partner",
        "who",
        "list",
        "count",
        "project",
        "country",
        "region",
        "participate",
        "task",
        "member",
        "where",
    }
)


def names_of(partner: Partner, language: Language) -> frozenset[str]:
    """Return the terms of a partner's own names, without the places that are part of them."""
    names = (terms_of(name, language) for name in (partner.name, *partner.other_names))
    return frozenset[str]().union(*names) - _places_of(partner, language)


def _places_of(partner: Partner, language: Language) -> frozenset[str]:
    places = (
        formats.country(partner.country, language),
        events.text_in(partner.region, language),
        events.text_in(partner.city, language),
    )
    return frozenset[str]().union(*(terms_of(place, language) for place in places))


async def look_up(session: AsyncSession, asked: Asked, texts: Texts, today: date) -> Answer | None:
    """Return the partners that are asked for, or None when the table does not explain all of it."""
    project = await projects.find(session)
    partners = await projects.partners(session)
    if project is None or not partners:
        return None
    mode, chosen = _chosen(asked, partners)
    return _said(asked, texts, project, chosen, mode, today=today) if chosen else None


def _chosen(asked: Asked, partners: Sequence[Partner]) -> tuple[str, list[Partner]]:
    """Return the partners that are asked for, and in which sense."""
    concepts = asked.concepts
    leading = "lead_partner" in concepts or ("lead" in concepts and concepts & {"partner", "who"})
    if leading and not asked.rest(_LEAD):
        return "lead", [partner for partner in partners if partner.role is Role.LEAD]
    if "communication" in concepts and concepts & {"partner", "who", "responsible"}:
        if asked.rest(_COMMUNICATION):
            return "", []
        return "communication", [partner for partner in partners if partner.role is Role.COMMUNICATION]
    rest = asked.rest(_FRAME)
    if not rest:
        return "list", list(partners) if _asks_for_all(asked) else []
    named = [partner for partner in partners if rest <= names_of(partner, asked.language)]
    if not named and "partner" in concepts:
        named = [
            partner
            for partner in partners
            if rest <= names_of(partner, asked.language) | _places_of(partner, asked.language)
        ]
    if not named and "partner" in concepts and any(rest <= terms for terms in _countries(asked.language)):
        return "none", list(partners)
    return "one", named if len(named) == 1 else []


@lru_cache(maxsize=len(Language))
def _countries(language: Language) -> tuple[frozenset[str], ...]:
    """Return the terms of every country's name: whoever asks for a partner there deserves a clear no."""
    return tuple(terms_of(name, language) for _, name in formats.countries(language))


def _asks_for_all(asked: Asked) -> bool:
    if "partner" in asked.concepts:
        return True
    return "country" in asked.concepts and bool(asked.concepts & {"participate", "project", "list", "count"})


def _said(
    asked: Asked, texts: Texts, project: Project, chosen: Sequence[Partner], mode: str, *, today: date
) -> Answer:
    text = texts.render(
        "answers/partners.md",
        asked.language,
        mode=mode,
        partners=chosen,
        project=project,
        ended=project.ends_on < today,
    )
    return Answer(
        outcome=Outcome.UNKNOWN if mode == "none" else Outcome.ANSWER,
        language=asked.language,
        title=texts.labels("answers/titles.jinja", asked.language)["partners"],
        text=text.strip(),
        references=references_of(partner.references for partner in chosen),
        sources=sources_of(partner.sources for partner in chosen),
        as_of=max((partner.as_of for partner in chosen if partner.as_of), default=None),
        confidence=LOOKED_UP,
    )
