"""Letters as anybody may read them: every personal field is filled for nobody in particular."""

from typing import Any

from markupsafe import Markup

from domain.languages import Language
from domain.projects import Project
from web.visits import Visit
from wording import markdown, readers
from wording.sandbox import PersonalTemplate


def neutral(visit: Visit, project: Project | None, *, language: Language, campaign_id: int) -> dict[str, Any]:
    """Return the values of a letter's fields for a reader of whom nothing is known."""
    preferences = visit.url("/preferences")
    links = {
        "unsubscribe_url": preferences,
        "preferences_url": preferences,
        "archive_url": visit.url(f"/archive/{campaign_id}"),
        "subscribe_url": visit.url("/subscribe"),
    }
    return readers.values(readers.nobody(language), project, visit.service, links)


def fill(text: str, values: dict[str, Any]) -> str:
    """Return a text of a letter with its fields filled; one without any is returned as it is."""
    if "{" not in text:
        return text
    return PersonalTemplate(text, html=False, field="letter").render(values)


def to_html(text: str) -> Markup:
    """Return a letter's Markdown as part of a page, whose one first-level heading is the subject."""
    return Markup(markdown.to_html_under_heading(text))  # noqa: S704 - cleaned there
