"""The HTML of a letter as a mail program would show it: links leave the frame, light or dark on demand."""

import re
from typing import Literal

Scheme = Literal["light", "dark"]

HEAD = re.compile(r"<head\b[^>]*>|<html\b[^>]*>", re.IGNORECASE)
SCHEME_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
ALWAYS, NEVER = "(min-width: 0)", "(max-width: 0)"
INVERTED = (
    "html{background:#fff;filter:invert(.9) hue-rotate(180deg)}img,video{filter:invert(1) hue-rotate(180deg)}"
)

# nothing in a letter may run, and nothing it names is fetched from beyond this machine
BODY_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data: http://127.0.0.1:* http://localhost:*; frame-ancestors 'self'"
)


def has_dark_colours(html: str) -> bool:
    return any(scheme.lower() == "dark" for scheme in SCHEME_QUERY.findall(html))


def prepare_body(html: str, scheme: Scheme) -> str:
    """Fix the colour scheme whatever the reader's system says; dark inverts a letter without dark colours."""
    fixed = SCHEME_QUERY.sub(lambda query: ALWAYS if query[1].lower() == scheme else NEVER, html)
    inverted = INVERTED if scheme == "dark" and not has_dark_colours(html) else ""
    painted = "light" if inverted else scheme
    extra = f'<base target="_blank"><style>:root{{color-scheme:{painted}}}{inverted}</style>'
    return _into_head(fixed, extra)


def _into_head(html: str, extra: str) -> str:
    found = HEAD.search(html)
    if found is None:
        return extra + html
    # after <head> if there is one; a bare <html> opens an implied head
    head = re.search(r"<head\b[^>]*>", html, re.IGNORECASE) or found
    return html[: head.end()] + extra + html[head.end() :]
