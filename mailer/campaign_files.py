"""Campaign files: one Markdown file with TOML front matter per language, read into a checked draft."""

import json
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.audiences import Audience
from domain.campaigns import Draft, Text
from domain.errors import Invalid, Problems
from domain.languages import FALLBACK, Language, language_of
from domain.notices import Kind
from domain.subscribers import Channel
from mailer import digests, headers, personal_fields

LONGEST_SUBJECT, LONGEST_PREHEADER = 150, 250
_FENCE = "+++"
_SHARED = ("audience", "channels", "template")
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class FrontMatter(BaseModel):
    """What stands between the `+++` lines. None = said in another language's file, or nowhere."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    preheader: str = ""
    audience: Audience | None = None
    channels: list[Channel] | None = Field(default=None, min_length=1)
    template: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """One file as read: its front matter, its body, and where both stand."""

    path: Path
    name: str
    language: Language
    head: FrontMatter
    lines: tuple[str, ...]
    body: str
    body_line: int

    def place(self, key: str) -> str:
        """Return `path:line` of a key of the front matter."""
        return f"{self.path}:{_line_of(key, self.lines)}"


def read(paths: Sequence[Path], *, topics: Collection[str], templates: Path) -> Draft:
    """Return the draft that the files make; raises `Invalid` or `Problems`, each with `path:line`.

    `topics` are those of the project; `templates` is the folder whose subfolders are letter templates.
    """
    if not paths:
        raise Invalid("files", "name at least one file such as issue.en.md")
    files = _gathered([lambda path=path: read_file(path) for path in paths])
    files.sort(key=lambda file: (file.language is not FALLBACK, file.language))
    known = _templates(templates)
    _gathered([lambda file=file: _check(file, topics, known) for file in files])
    _check_unity(files)
    if _agreed(files, "template") != digests.TEMPLATE:  # which writes its text itself
        _gathered([lambda file=file: _check_body(file) for file in files])
    return _draft(files)


def read_file(path: Path) -> CampaignFile:
    """Return one file, checked by itself; raises `Invalid` or `Problems`."""
    name, language = _name_of(path)
    lines = _lines_of(path)
    end = _end_of_head(path, lines)
    head = _head_of(path, tuple(lines[:end]))
    body = "\n".join(lines[end + 1 :]).strip("\n")
    first = next((number for number, line in enumerate(lines[end + 1 :], end + 2) if line), end + 1)
    return CampaignFile(path, name, language, head, tuple(lines[:end]), body, first)


def _name_of(path: Path) -> tuple[str, Language]:
    name, _, suffix = path.name.removesuffix(".md").rpartition(".")
    language = language_of(suffix)
    if not path.name.endswith(".md") or not name or language != suffix:
        codes = ", ".join(Language)
        raise Invalid(f"{path}:1", f"call the file NAME.<language>.md, the language one of {codes}")
    return name, language


def _lines_of(path: Path) -> list[str]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path}:1", f"the file cannot be read ({error.strerror})") from None
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid(f"{path}:{line}", "this is not UTF-8; save the file as UTF-8") from None


def _end_of_head(path: Path, lines: list[str]) -> int:
    if lines[0].strip() != _FENCE:
        raise Invalid(f"{path}:1", f"the first line must be {_FENCE}, then subject = …, then {_FENCE}")
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == _FENCE:
            return number
    raise Invalid(f"{path}:{len(lines)}", f"the front matter is not closed with {_FENCE}")


def _head_of(path: Path, lines: tuple[str, ...]) -> FrontMatter:
    try:
        raw = tomllib.loads("\n".join(lines[1:]))
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line = int(found[1]) + 1 if found and found[1] else len(lines)
        raise Invalid(f"{path}:{line}", f"not TOML: {_TOML_PLACE.sub('', str(error))}") from None
    try:
        return FrontMatter.model_validate(raw)
    except ValidationError as refusal:
        raise Problems([_problem(path, lines, error) for error in refusal.errors()]) from None


def _problem(path: Path, lines: tuple[str, ...], error: Any) -> Invalid:
    keys = [str(part) for part in error["loc"]]
    place = f"{path}:{_line_of(keys[0], lines)}"
    where = ".".join(keys)
    if error["type"] == "extra_forbidden":
        return Invalid(place, f"unknown key {where!r}; known are {', '.join(FrontMatter.model_fields)}")
    if error["type"] == "missing":
        return Invalid(place, f'{where} is missing; write {where} = "…"')
    return Invalid(place, f"{where}: {str(error['msg']).removeprefix('Value error, ')}")


def _line_of(key: str, lines: tuple[str, ...]) -> int:
    pattern = re.compile(rf'\s*(?:\[\s*)?"?{re.escape(key)}"?\s*[.=\]]')
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


def _check(file: CampaignFile, topics: Collection[str], templates: Collection[str]) -> None:
    head = file.head
    _check_header(file, "subject", head.subject, LONGEST_SUBJECT)
    _check_header(file, "preheader", head.preheader, LONGEST_PREHEADER)
    if not head.subject.strip():
        raise Invalid(file.place("subject"), "the subject is empty")
    if head.template is not None and head.template not in templates:
        known = ", ".join(sorted(templates))
        raise Invalid(file.place("template"), f"unknown template {head.template!r}; known are {known}")
    audience = head.audience or Audience()
    for topic in (*audience.topics, *audience.exclude.topics):
        if topic not in topics:
            known = ", ".join(sorted(topics)) or "none: import the project's content first"
            raise Invalid(file.place("audience"), f"unknown topic {topic!r}; known are {known}")
    personal_fields.check(file.body, path=str(file.path), first_line=file.body_line, markdown=True)


def _check_body(file: CampaignFile) -> None:
    if not file.body.strip():
        place = f"{file.path}:{len(file.lines) + 1}"
        raise Invalid(place, f"the letter's text is missing after the second {_FENCE}")


def _check_header(file: CampaignFile, key: str, value: str, longest: int) -> None:
    headers.checked(value, field=file.place(key))
    if len(value) > longest:
        raise Invalid(file.place(key), f"the {key} is longer than {longest} characters")
    line = _line_of(key, file.lines)
    personal_fields.check(value, path=str(file.path), first_line=line, markdown=False)


def _check_unity(files: list[CampaignFile]) -> None:
    first = files[0]
    seen: dict[Language, Path] = {}
    for file in files:
        if file.language in seen:
            raise Invalid(f"{file.path}:1", f"{file.language} is in {seen[file.language]} too; give one")
        if file.name != first.name:
            raise Invalid(
                f"{file.path}:1", f"belongs to {file.name!r}, not {first.name!r}; give one campaign"
            )
        seen[file.language] = file.path
    for key in _SHARED:
        _agreed(files, key)


def _agreed(files: list[CampaignFile], key: str) -> Any:
    """Return what the files say under a key; silence agrees with everybody."""
    said = [file for file in files if getattr(file.head, key) is not None]
    for file in said[1:]:
        if getattr(file.head, key) != getattr(said[0].head, key):
            raise Invalid(
                file.place(key), f"{key} differs from {said[0].place(key)}; say it in one file only"
            )
    return getattr(said[0].head, key) if said else None


def _draft(files: list[CampaignFile]) -> Draft:
    audience = _agreed(files, "audience") or Audience()
    channels = tuple(dict.fromkeys(_agreed(files, "channels") or [Channel.EMAIL]))
    template = _agreed(files, "template") or "newsletter"
    texts = {
        file.language: Text(file.head.subject.strip(), file.head.preheader.strip(), file.body)
        for file in files
    }
    canonical = {
        "audience": audience.model_dump(mode="json"),
        "channels": sorted(channels),
        "template": template,
        "texts": {language: [text.subject, text.preheader, text.body] for language, text in texts.items()},
    }
    digest = sha256(json.dumps(canonical, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return Draft(files[0].name, audience, channels, template, digest, texts)


def _templates(folder: Path) -> set[str]:
    notices = {kind.value for kind in Kind}
    return {path.parent.name for path in folder.glob("*/body.mjml")} - notices


def _gathered(steps: Sequence[Any]) -> list[Any]:
    """Take every step; raises `Problems` with all that failed, so that one reading shows everything."""
    results, problems = [], []
    for step in steps:
        try:
            results.append(step())
        except Invalid as problem:
            problems.append(problem)
        except Problems as several:
            problems.extend(several.problems)
    if problems:
        raise Problems(problems) if len(problems) > 1 else problems[0]
    return results
