"""Renders the files under `templates/` in a reader's language."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain.languages import Language
from wording import catalogues, formats, markdown

_ESCAPED = (".html", ".mjml", ".xml")


class Texts:
    """Every sentence of the service, by template name and language.

    Templates are files under `templates/`; `{% trans %}` marks what the catalogues translate. In each
    of them `language` is known, and the filters `day`, `days`, `period`, `moment`, `number`,
    `country`, `local` (a text per language) and `markdown`.
    """

    def __init__(self, templates: Path, locales: Path) -> None:
        """Name the folders; a catalogue is read, and a template compiled, when it is first used."""
        self.folder = templates
        self._environment = cache(partial(_environment, templates, locales))

    def render(self, name: str, language: Language, **values: Any) -> str:
        """Return a template's text, for instance `render("web/privacy.html", language, site=…)`."""
        return self._environment(language).get_template(name).render(values)

    def labels(self, name: str, language: Language) -> Mapping[str, str]:
        """Return the mapping `labels` that a template sets: short words such as those on buttons."""
        module: Any = self._environment(language).get_template(name).module
        return dict(module.labels)


def _environment(templates: Path, locales: Path, language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=lambda name: name is not None and name.endswith(_ESCAPED),  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    translations = catalogues.load(locales, language)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["language"] = language
    environment.globals["all_languages"] = tuple(Language)
    environment.filters |= _filters(language)
    return environment


def _filters(language: Language) -> dict[str, Any]:
    return {
        "day": partial(formats.day, language=language),
        "days": partial(formats.days, language=language),
        "period": partial(formats.period, language=language),
        "moment": partial(formats.moment, language=language),
        "number": partial(formats.number, language=language),
        "country": partial(formats.country, language=language),
        "local": partial(_local, language=language),
        "markdown": lambda text: Markup(markdown.to_html(text)),  # noqa: S704 - cleaned there
    }


def _local(texts: Mapping[str, str], language: Language) -> str:
    return texts.get(language) or texts[Language.ENGLISH]
