"""Layouts: what every letter shows around its words, and MJML turned into HTML that mail programs show."""

import re
from collections.abc import Mapping
from typing import Any

import css_inline
import mrml

from domain.errors import Invalid
from domain.languages import Language
from domain.projects import Project
from mailer.messages import Stationery
from wording.colours import contrast

WHITE, BLACK, INK = "#ffffff", "#000000", "#121a26"
READABLE = 4.5
"""The least contrast of text with its ground (WCAG 2.1, 1.4.3)."""
_PRIMARY = "#1d4f91"
_NOBODY = {"title": "", "funding_statement": "", "disclaimer": ""}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_FONTS = mrml.RenderOptions(fonts={})
"""Else mrml has every reader's mail program fetch fonts from Google, which then knows who reads."""
_INLINER = css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)


def frame(stationery: Stationery, project: Project | None, language: Language) -> dict[str, Any]:
    """Return the values of the shared layout; before its pack is imported the project has a name only."""
    service = stationery.service
    primary = (project.branding if project else {}).get("primary", _PRIMARY)
    return {
        "project": _identity(project, language) if project else _NOBODY | {"name": service.name},
        "colours": {
            "primary": primary,
            "ink": WHITE if contrast(primary, WHITE) >= READABLE else BLACK,
            "link": primary if contrast(primary, WHITE) >= READABLE else INK,
        },
        "operator": service.operator,
        "postal_address": stationery.mail.postal_address,
    }


def to_html(mjml: str) -> str:
    """Return the HTML of a letter written in MJML; raises `Invalid` when it is not well-formed.

    Characters that no XML document may hold are left out: they come in names and show nothing.
    """
    try:
        return str(mrml.to_html(_NOT_XML.sub("", mjml), render_options=_NO_FONTS).content)
    except OSError as error:  # mrml's only kind of error
        raise Invalid("template", f"this is not MJML ({error})") from None


def inline(html: str) -> str:
    """Copy the style sheet's rules to the elements, for mail programs that ignore style sheets."""
    return _INLINER.inline(html)


def _identity(project: Project, language: Language) -> dict[str, str]:
    texts: Mapping[str, Mapping[str, str]] = {
        "title": project.title,
        "funding_statement": project.funding_statement,
        "disclaimer": project.disclaimer,
    }
    chosen = {name: text.get(language) or text.get(Language.ENGLISH, "") for name, text in texts.items()}
    return {"name": project.name, **chosen}
