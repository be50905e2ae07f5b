"""Letters: a newsletter of 29 KB with twelve articles and 26 personal fields, as a lead would write it."""

from pathlib import Path

LANGUAGES = ("en", "es")
"""Two, so that letters are compiled and kept per language; both say the same, so that all are of one size."""
ARTICLES = 12
_LINKED = 6
"""Articles that end in a link of the reader's own: each stands in the HTML and in the text."""
_HEAD = """\
+++
subject = "Twelve stories from six regions, for {{ subscriber.first_name or 'you' }}"
preheader = "Vouchers, study visits and export consortiums"
audience = { helix = [], countries = [], topics = [] }
channels = ["email"]
template = "newsletter"
+++
Dear {{ subscriber.first_name or "reader" }},

This is what happened since the last issue.
"""
_SENTENCES = (
    "Six European regions asked how public authorities can help small firms to work across borders.",
    "The partners looked at cases in study visits, discussed them in workshops and checked them at home.",
    "In Extremadura’s export consortiums, at least three firms go abroad together – and share the costs.",
    "Advisers from the West Midlands help firms to sell online, in the language of their customers.",
    "The Algarve planned two projects worth 6.1 million euros in all; the first call opens in spring.",
    "Podravje, where Štajerska meets its neighbours, offers a voucher for a first market study.",
)


def write(folder: Path) -> list[Path]:
    """Write the campaign's files, one per language, and return where they are."""
    body = _HEAD + "".join(_article(number) for number in range(ARTICLES))
    paths = [folder / f"benchmark.{language}.md" for language in LANGUAGES]
    for path in paths:
        path.write_text(body, encoding="utf-8")
    return paths


def _article(number: int) -> str:
    told = _SENTENCES[number % len(_SENTENCES)]
    page = "{{ archive_url }}" if number < _LINKED else f"https://www.example.org/{5000 + number}"
    return f"\n## Story {number + 1}\n\n{told} [Read on]({page})\n"
