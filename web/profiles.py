"""What subscribers say about themselves: the fields of a profile, in and out of a form."""

from collections.abc import Mapping
from typing import Any

from domain.helixes import HelixGroup, TargetGroup
from domain.languages import Language
from domain.projects import Project
from domain.subscribers import Profile
from web.forms import Form
from web.visits import Visit
from wording import formats

_ONLY_HELIX = "helix:"
"""Marks the choice of somebody whose helix group we know without a target group (from an import)."""


def choices(visit: Visit, kept: HelixGroup | None = None) -> dict[str, Any]:
    """Return what the selects of a profile offer; `kept` is a helix group known without a target group."""
    return {
        "countries": formats.countries(visit.language),
        "offered_languages": visit.service.languages,
        "groups": {
            group: [target for target in TargetGroup if target.helix_group is group]
            for group in (*HelixGroup, None)
        },
        "kept": kept,
    }


def blank(language: Language) -> dict[str, Any]:
    """Return the values of a form that nobody has touched."""
    return typed(Profile(language=language))


def typed(profile: Profile) -> dict[str, Any]:
    """Return a profile as the values of its form."""
    kept = f"{_ONLY_HELIX}{profile.helix_group}" if profile.helix_group else ""
    return {
        "name": profile.name,
        "organisation": profile.organisation,
        "target_group": profile.target_group or kept,
        "country": profile.country or "",
        "region": profile.region,
        "language": profile.language,
        "topics": profile.topics,
    }


def typed_in(form: Form, project: Project | None) -> dict[str, Any]:
    """Return what somebody typed, right or wrong, so that the form can show it again."""
    names = ("name", "organisation", "target_group", "country", "region", "language")
    return {name: form.raw(name) for name in names} | {"topics": form.some_of("topics", topics(project))}


def read(form: Form, visit: Visit, project: Project | None) -> Profile:
    """Return the profile in a form; it counts only while the form has noted no problems."""
    countries = dict(formats.countries(visit.language))
    target, helix = _groups(form)
    language = form.one_of("language", visit.service.languages)
    return Profile(
        name=form.text("name"),
        organisation=form.text("organisation"),
        target_group=target,
        helix_group=helix,
        country=form.one_of("country", countries) or None,
        region=form.text("region"),
        language=Language(language) if language in visit.service.languages else visit.language,
        topics=form.some_of("topics", topics(project)),
    )


def topics(project: Project | None) -> Mapping[str, Mapping[str, str]]:
    """Return the newsletter subjects of the project; none before its pack is imported."""
    return project.topics if project else {}


def _groups(form: Form) -> tuple[TargetGroup | None, HelixGroup | None]:
    only_helix = [f"{_ONLY_HELIX}{group}" for group in HelixGroup]
    value = form.one_of("target_group", [*TargetGroup, *only_helix])
    if not value or "target_group" in form.problems:
        return None, None
    if value in only_helix:
        return None, HelixGroup(value.removeprefix(_ONLY_HELIX))
    target = TargetGroup(value)
    return target, target.helix_group
