"""TOML with line numbers: where a key stands, and what pydantic found wrong there."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.errors import Invalid

Path = tuple[str | int, ...]
"""The way to a value: `("events", 3, "title", "sl")`."""
Model = TypeVar("Model", bound=BaseModel)

_HEADER = re.compile(r"\s*\[\[?\s*([\w.\-]+)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"\s*([\w\-]+(?:\s*\.\s*[\w\-]+)*)\s*=")
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


@dataclass
class _Section:
    name: str
    line: int
    keys: dict[str, int] = field(default_factory=dict)

    def line_of(self, way: Sequence[str | int]) -> int:
        """Return the line of the longest part of the way that is written there, else the header's."""
        words = [str(step) for step in way if isinstance(step, str)]
        for length in range(len(words), 0, -1):
            dotted = ".".join(words[:length])
            for key, line in self.keys.items():
                if key == dotted or key.startswith(f"{dotted}."):
                    return line
        return self.line


class TomlText:
    """One TOML text of a pack, parsed, that knows the line of every key."""

    def __init__(self, name: str, text: str, *, first_line: int = 1) -> None:
        """Parse the text; raises `Invalid` with the line of a syntax error."""
        self.name = name
        self._sections = _sections(text, first_line)
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax_error(name, text, first_line, str(error)) from None

    def line_of(self, way: Path) -> int:
        """Return the line that a way leads to, or the nearest one above it."""
        name, *rest = way or ("",)
        number = rest.pop(0) if rest and isinstance(rest[0], int) else 0
        named = [section for section in self._sections if section.name == name]
        if named and isinstance(number, int) and number < len(named):
            return named[number].line_of(rest)
        return self._sections[0].line_of(way)

    def problem(self, way: Path, reason: str) -> Invalid:
        """Return what is wrong at a place, as `file:line: what; cure`."""
        return Invalid(f"{self.name}:{self.line_of(way)}", reason)

    def read(self, model: type[Model], data: object, way: Path, problems: list[Invalid]) -> Model | None:
        """Return the data typed, or None after adding each thing that is wrong to the problems."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for found in error.errors():
                place = (*way, *found["loc"])
                problems.append(self.problem(place, _reason(found, model)))
            return None


def _sections(text: str, first_line: int) -> list[_Section]:
    found = [_Section("", first_line)]
    for number, line in enumerate(text.splitlines(), start=first_line):
        if header := _HEADER.fullmatch(line):
            found.append(_Section(header[1], number))
        elif key := _KEY.match(line):
            found[-1].keys.setdefault(re.sub(r"\s", "", key[1]), number)
    return found


def _syntax_error(name: str, text: str, first_line: int, message: str) -> Invalid:
    at = _AT_LINE.search(message)
    line = int(at[1]) if at and at[1] else len(text.splitlines()) or 1
    what = _AT_LINE.sub("", message)
    return Invalid(
        f"{name}:{line + first_line - 1}",
        f"{what[:1].lower()}{what[1:]}; mend this line so that it is TOML (texts stand in quotes)",
    )


def _reason(found: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in found["loc"] if isinstance(step, str) and step != "[key]")
    kind, context = found["type"], found.get("ctx") or {}
    if kind == "missing":
        return f"`{where}` is missing; add it"
    if kind == "extra_forbidden":
        known = list(model.model_fields) if len(found["loc"]) == 1 else []
        return f"unknown key `{where}`; {_nearest(str(found['loc'][-1]), known)}"
    if kind == "enum":
        what = "language" if found["loc"][-1] == "[key]" else f"`{where}`"
        return f"{what} cannot be {found['input']!r}; use {context['expected']}"
    if kind.startswith("date"):
        return f"`{where}` is not a date; write it without quotes, as 2018-05-29"
    if kind == "value_error":
        return f"`{where}`: {context['error']}" if where else str(context["error"])
    return f"`{where}`: {found['msg'][:1].lower()}{found['msg'][1:]}; correct it"


def _nearest(written: str, known: list[str]) -> str:
    near = difflib.get_close_matches(written, known, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"use one of {', '.join(known)}, or remove it" if known else "remove it"


def repeated(values: Sequence[str]) -> set[str]:
    """Return the values that occur more than once."""
    return {value for value, number in Counter(values).items() if number > 1}
