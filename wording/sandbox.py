"""The sandbox for personal text: what a lead writes between braces, filled for one reader.

A personal template has no loops, no calls and no arithmetic, so its time and its output are bounded
by its own size; subscriber data is only ever a value, never compiled.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.errors import Invalid

FILTERS = ("capitalize", "default", "lower", "title", "trim", "upper")
TOO_DEEP = (RecursionError, SyntaxError)
"""What the parser and Python's own compiler raise for expressions nested without end."""
DEEP = "an expression between braces is nested too deeply; write it simpler"
LONGEST_TEMPLATE = 500_000
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const,
    nodes.Filter, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.Keyword,
)  # fmt: skip


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=True
    )
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.globals.clear()
    return environment


_HTML, _TEXT = _environment(autoescape=True), _environment(autoescape=False)


class PersonalTemplate:
    """A checked template that is rendered once per reader."""

    def __init__(self, source: str, *, html: bool, field: str) -> None:
        """Compile the text; raises `Invalid` with the line where it is not allowed or not Jinja.

        `field` names the place in the messages: a file, or a part of a letter.
        """
        self._field = field
        environment = _HTML if html else _TEXT
        tree = _parse(source, environment, field)
        self.constants = frozenset(node.data for node in tree.find_all(nodes.TemplateData))
        """The pieces that every reader gets, so that they can be worked on once."""
        self.names = frozenset(_names(tree))
        """What it says or asks, as it is written: `subscriber.first_name`."""
        self.computed = frozenset(_computed(tree))
        """Those of the names that are not only printed as they are."""
        self._template = _compile(tree, environment, field)

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text for one reader; raises `Invalid` naming an unknown field."""
        return "".join(self.pieces(values))

    def pieces(self, values: Mapping[str, Any]) -> list[str]:
        """Return the text for one reader in the pieces it is made of, most of them among `constants`."""
        template = self._template
        try:
            return list(template.root_render_func(template.new_context(dict(values))))
        except (TemplateError, TypeError, ValueError) as error:
            raise Invalid(self._field, f"{error}; docs/campaigns.md lists the fields") from None


def _names(node: nodes.Node) -> Iterator[str]:
    """Find every name below a node, with the part of it that is asked for."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        yield f"{node.node.name}.{node.attr}"
    elif isinstance(node, nodes.Name):
        yield node.name
    else:
        for child in node.iter_child_nodes():
            yield from _names(child)


def _computed(node: nodes.Node) -> Iterator[str]:
    """Find every name below a node that is filtered, compared or asked."""
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Name | nodes.Getattr):
            yield from _computed(child)
        elif not isinstance(node, nodes.Output):
            yield from _names(child)


def _parse(source: str, environment: ImmutableSandboxedEnvironment, field: str) -> nodes.Template:
    if len(source) > LONGEST_TEMPLATE:
        raise Invalid(field, f"longer than {LONGEST_TEMPLATE:,} characters")
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        raise Invalid(f"{field}:{error.lineno}", f"{error.message}") from None
    except TOO_DEEP:
        raise Invalid(field, DEEP) from None
    _check(tree, field)
    return tree


def _compile(tree: nodes.Template, environment: ImmutableSandboxedEnvironment, field: str) -> Template:
    try:
        return environment.from_string(tree)
    except TemplateSyntaxError as error:
        raise Invalid(f"{field}:{error.lineno}", f"{error.message}") from None
    except TOO_DEEP:
        raise Invalid(field, DEEP) from None


def _check(tree: nodes.Template, field: str) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise Invalid(
                f"{field}:{node.lineno}",
                f"{what!r} is not allowed in a letter; use {{{{ field }}}}, filters and {{% if %}}",
            )
