"""Personal fields: checks what a lead wrote between braces before anything is sent, line by line."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from domain.errors import Invalid
from mailer import letters
from wording import readers
from wording.placeholders import Placeholders
from wording.sandbox import DEEP, TOO_DEEP, PersonalTemplate

_PARSER = Environment(autoescape=True)
_SAMPLE: Mapping[str, Any] = {
    "subscriber": readers.SAMPLE._asdict(),
    "project": {"name": "Example", "website": "https://example.org/"},
    **dict.fromkeys(readers.LINKS, "https://example.org/"),
}


def check(source: str, *, path: str, first_line: int, markdown: bool) -> None:
    """Compile a text and render it once for a sample reader; raises `Invalid` with `path:line`.

    `first_line` is the line of the file on which the text begins; with `markdown`, its links too.
    """
    # Blank lines in front make the line numbers those of the file.
    shifted = "\n" * (first_line - 1) + source
    try:
        tree = _PARSER.parse(shifted)
    except TemplateSyntaxError as error:
        raise Invalid(f"{path}:{error.lineno}", str(error.message)) from None
    except TOO_DEEP:
        raise Invalid(f"{path}:{first_line}", DEEP) from None
    template = PersonalTemplate(shifted, html=markdown, field=path)
    _check_names(tree, path)
    try:
        template.render(_SAMPLE)
    except Invalid as problem:
        raise Invalid(f"{path}:{first_line}", problem.reason) from None
    if markdown:
        placeholders = Placeholders(shifted)
        letters.to_html(placeholders, placeholders.hide(shifted, field=path), field=path)


def _check_names(tree: nodes.Template, path: str) -> None:
    whole = {id(part.node) for part in tree.find_all(nodes.Getattr) if _is_known(part, path)}
    for name in tree.find_all(nodes.Name):
        parts = readers.FIELDS.get(name.name)
        if parts is None:
            raise Invalid(f"{path}:{name.lineno}", _unknown(name.name))
        if parts and id(name) not in whole:
            raise Invalid(f"{path}:{name.lineno}", f"{name.name!r} alone says nothing; {_known()}")


def _is_known(part: nodes.Getattr, path: str) -> bool:
    owner = part.node.name if isinstance(part.node, nodes.Name) else ""
    if part.attr not in readers.FIELDS.get(owner, ()):
        raise Invalid(f"{path}:{part.lineno}", _unknown(f"{owner}.{part.attr}".lstrip(".")))
    return True


def _unknown(field: str) -> str:
    return f"unknown field {field!r}; {_known()}"


def _known() -> str:
    fields = [f"{name}.{part}" for name, parts in readers.FIELDS.items() for part in sorted(parts)]
    return f"known are {', '.join([*fields, *readers.LINKS])}"
