"""Letters: a campaign's text compiled once per language, then filled in for each reader."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from domain.campaigns import Text
from domain.errors import Invalid
from domain.languages import Language
from domain.projects import Project
from mailer import layouts
from mailer.messages import Content, Stationery
from wording import markdown, readers
from wording.placeholders import Placeholders
from wording.sandbox import PersonalTemplate

_TARGET = re.compile(r'\b(?:href|src)="([^"]*)"')
_ABSOLUTE = re.compile(r"(https?://|mailto:|tg:)", re.IGNORECASE)
_LINK_FIELD = re.compile(rf"\{{\{{-?\s*({'|'.join(readers.LINKS)}|project\.website)\s*-?\}}\}}\s*")


@dataclass(frozen=True, slots=True)
class Letter:
    """A compiled letter: templates that are left with nothing but the personal fields."""

    subject: str
    preheader: str
    html: str
    text: str

    def as_parts(self) -> dict[str, str]:
        """Return the parts as a campaign keeps them once it has started."""
        return asdict(self)


class PersonalLetter:
    """A letter ready to be filled in, compiled once and rendered for each reader."""

    def __init__(self, letter: Letter, language: Language) -> None:
        """Compile the parts; raises `Invalid` for one that is not a personal template."""
        self.language = language
        self.subject = PersonalTemplate(letter.subject, html=False, field="subject")
        self.html = PersonalTemplate(letter.html, html=True, field="html")
        self.text = PersonalTemplate(letter.text, html=False, field="text")

    def render(self, values: Mapping[str, Any]) -> Content:
        """Return the letter for one reader; raises `Invalid` naming a field that is not known."""
        return Content(
            subject=self.subject.render(values),
            html=self.html.render(values),
            text=self.text.render(values),
            language=self.language,
        )


def compile_letter(
    stationery: Stationery, project: Project, language: Language, text: Text, *, template: str
) -> Letter:
    """Return a campaign's text in one language as a letter on the project's template."""
    nodes = Placeholders(text.subject, text.preheader, text.body)
    written = {
        "subject": nodes.hide(text.subject, field="subject"),
        "preheader": nodes.hide(text.preheader, field="preheader"),
        **{link: nodes.hide(f"{{{{ {link} }}}}", field=link) for link in readers.LINKS},
    }
    body = nodes.hide(text.body, field="body")
    frame = layouts.frame(stationery, project, language) | written
    html = _html(
        stationery, f"email/{template}/body.mjml", language, frame, to_html(nodes, body, field="body")
    )
    plain = stationery.texts.render(
        f"email/{template}/body.txt", language, **frame, body=markdown.to_text(body)
    )
    return Letter(text.subject, text.preheader, nodes.show(html), nodes.show(plain))


def to_html(nodes: Placeholders, body: str, *, field: str) -> str:
    """Return Markdown with placeholders as HTML; raises `Invalid` for a link that a reader could redirect.

    The letter's subject is its first-level heading.
    """
    html = markdown.to_html_under_heading(body)
    for target in _TARGET.findall(html):
        _check_target(nodes, target, field)
    alone = re.compile(rf"<p>({nodes.pattern.pattern})</p>")
    return alone.sub(lambda found: _unwrapped(nodes, found), html)


def _html(stationery: Stationery, name: str, language: Language, frame: Mapping[str, Any], body: str) -> str:
    slot = "letterbodyslot"
    mjml = stationery.texts.render(name, language, **frame, body=slot)
    return layouts.inline(layouts.to_html(mjml).replace(slot, body, 1))


def _check_target(nodes: Placeholders, target: str, field: str) -> None:
    first = nodes.pattern.search(target)
    if first is None or _ABSOLUTE.match(target):
        return
    node = nodes.node(first)
    if first.start() > 0 or not _LINK_FIELD.fullmatch(node.source):
        allowed = ", ".join(readers.LINKS)
        raise Invalid(f"{field}:{node.line}", f"a link begins with https:// or is one of {allowed}")


def _unwrapped(nodes: Placeholders, paragraph: re.Match[str]) -> str:
    """Take a lone `{% if %}` out of its paragraph, which would stay behind as an empty one."""
    found = nodes.pattern.fullmatch(paragraph[1])
    return paragraph[1] if found and nodes.node(found).is_block else paragraph[0]
