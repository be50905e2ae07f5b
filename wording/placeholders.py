"""Keeps a lead's personal Jinja nodes out of the way of Markdown and MJML, and puts them back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError

from domain.errors import Invalid

_LEXER = Environment(autoescape=True, keep_trailing_newline=True)
_OPENS = frozenset({"variable_begin", "block_begin", "comment_begin"})
_CLOSES = frozenset({"variable_end", "block_end", "comment_end"})


@dataclass(frozen=True, slots=True)
class Node:
    """One `{{ … }}` or `{% … %}` as it was written, and the line it stands on."""

    source: str
    line: int

    @property
    def is_block(self) -> bool:
        """Whether it decides (`{% if %}`) rather than speaks (`{{ name }}`)."""
        return not self.source.startswith("{{")


class Placeholders:
    """Replaces nodes by inert words of letters and digits, which every later step leaves alone."""

    def __init__(self, *sources: str) -> None:
        """Choose a mark that stands in none of the texts to be treated."""
        mark = "zq"
        while any(mark in source.lower() for source in sources):
            mark += "q"
        self._nodes: list[Node] = []
        self._mark = mark
        self.pattern = re.compile(rf"{mark}(\d+)x")

    def hide(self, source: str, *, field: str) -> str:
        """Return the text with every node replaced; raises `Invalid` naming the line of a broken one."""
        written: list[str] = []
        node, begins = "", 1
        for line, kind, value in _tokens(source, field):
            if kind in _OPENS:
                node, begins = value, line
            elif node and kind in _CLOSES:
                written.append(self._keep(Node(node + value, begins)))
                node = ""
            elif node:
                node += value
            else:
                written.append(value)
        if node:
            raise Invalid(f"{field}:{begins}", "braces are opened here and never closed")
        return "".join(written)

    def show(self, text: str) -> str:
        """Return the text with the nodes back; braces that come from elsewhere stay mere braces."""
        inert = re.sub(rf"\{{(?=[{{%#]|{self._mark})", '{{ "{" }}', text)
        return self.pattern.sub(lambda found: self.node(found).source, inert)

    def node(self, found: re.Match[str]) -> Node:
        """Return the node that a placeholder stands for."""
        return self._nodes[int(found[1])]

    def _keep(self, node: Node) -> str:
        self._nodes.append(node)
        return f"{self._mark}{len(self._nodes) - 1}x"


def _tokens(source: str, field: str) -> Iterator[tuple[int, str, str]]:
    try:
        for line, kind, value in _LEXER.lex(source):
            if kind == "raw_begin":
                raise Invalid(f"{field}:{line}", "'raw' is not allowed in a letter")
            yield line, kind, value
    except TemplateSyntaxError as error:
        raise Invalid(f"{field}:{error.lineno}", str(error.message)) from None
