"""Contrast checks: whether words can be read on their ground, in the light scheme and the dark one.

What can be computed is computed: colours that the letter names, through inheritance and through its own
`prefers-color-scheme: dark` rules. Programs that invert colours by rules of their own cannot be known.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

import css_inline

from mailer import letter_views
from mailer.findings import Code, Finding, Part, warning
from mailer.layouts import READABLE
from mailer.letter_views import UNTOLD, Words
from mailer.proofs import Proof
from wording.colours import contrast

READABLE_LARGE = 3.0
"""The same for large text (WCAG 2.1, 1.4.3)."""
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{")
_EXAMPLE = 40


def check_contrast(proof: Proof) -> Iterator[Finding]:
    """See that words stand out from their ground (WCAG 2.1, 1.4.3)."""
    seen = {"light": proof.whole}
    if rules := _dark_rules(proof.html):
        inliner = css_inline.CSSInliner(extra_css=rules, load_remote_stylesheets=False)
        seen["dark"] = letter_views.read(inliner.inline(proof.html), UNTOLD)
    for scheme, view in seen.items():
        faint = {(words.look.ink, words.look.ground): words for words in view.words if _is_faint(words)}
        for words in faint.values():
            yield _finding(proof, scheme, words)


def _is_faint(words: Words) -> bool:
    ink, ground = words.look.ink, words.look.ground
    if ink is None or ground is None:
        return False
    return contrast(ink, ground) < (READABLE_LARGE if words.look.is_large else READABLE)


def _finding(proof: Proof, scheme: str, words: Words) -> Finding:
    ink, ground = words.look.ink or "", words.look.ground or ""
    ratio, least = contrast(ink, ground), READABLE_LARGE if words.look.is_large else READABLE
    told = (
        f"“{words.text[:_EXAMPLE]}” is {ink} on {ground}: {ratio:.1f} to 1 in the {scheme} scheme, "
        f"at least {least:g} can be read"
    )
    cure = "choose another [branding] primary in project.toml, or mend the colours of the template"
    return warning(Code.LOW_CONTRAST, proof.place(Part.HTML), told, cure)


def _dark_rules(html: str) -> str:
    return "\n".join(_block(html, found.end()) for found in _DARK.finditer(html))


def _block(css: str, start: int) -> str:
    """Return what stands between an opening brace that ends at `start` and the one that closes it."""
    steps = ((character == "{") - (character == "}") for character in css[start:])
    depths = accumulate(steps, initial=1)
    length = next((place for place, depth in enumerate(depths) if depth == 0), len(css) - start + 1)
    return css[start : start + length - 1]
