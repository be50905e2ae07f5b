"""Every sentence is gathered, translated into five languages, and keeps its fields."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from domain.languages import FALLBACK, Language
from wording.catalogues import DOMAIN
from wording.texts import Texts

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "locales"
TRANSLATED = [language for language in Language if language is not FALLBACK]


def _catalogue(path: Path, language: Language | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language.value if language else None)


def _ids(catalogue: Catalog) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    pot = tmp_path_factory.mktemp("locales") / "fresh.pot"
    words = ["extract", "--omit-header", "--no-location", "-F", str(LOCALES / "babel.cfg"), "-o", str(pot)]
    pybabel = Path(sys.executable).with_name("pybabel")
    subprocess.run([pybabel, "--quiet", *words, "."], cwd=ROOT, check=True, capture_output=True)
    return _catalogue(pot)


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_the_templates_say_is_what_the_translators_have(gathered: Catalog, language: Language) -> None:
    kept = _catalogue(LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po", language)
    assert _ids(kept) == _ids(gathered), "run `make locales`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_keeps_its_fields(language: Language) -> None:
    catalogue = _catalogue(LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po", language)
    for message in catalogue:
        if not message.id:
            continue
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), f"not translated: {message.id}"
        assert not message.fuzzy, f"not checked by a person: {message.id}"
        assert not list(message.check(catalogue)), message.id


@pytest.mark.parametrize("language", Language)
def test_every_language_has_its_own_consent_text(language: Language) -> None:
    texts = Texts(ROOT / "templates", LOCALES)
    words = texts.render("consent/email.txt", language, project="INTRA", operator="CAPITANK")
    assert "INTRA" in words
    assert "CAPITANK" in words
    assert (language is FALLBACK) == words.startswith("I agree")
