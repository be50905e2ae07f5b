"""The project's colours as a stylesheet: whatever a pack chooses, text stays readable (WCAG 1.4.3)."""

import re

from fastapi import APIRouter
from starlette.responses import Response

from domain import projects
from web.visits import Visiting
from wording.colours import channels, contrast

PRIMARY, ACCENT = "#1f4e79", "#0e6e6e"
"""The colours of a project that has not chosen its own."""
LIGHT, DARK = "#f4f2ec", "#20262e"
"""The surfaces of `site.css` that text in a project's colour has the hardest time on."""
WANTED = 4.6
"""Above the 4.5 to 1 of WCAG AA, so that rounding never falls below it."""
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS = 50

router = APIRouter()


@router.api_route("/colours.css", methods=["GET", "HEAD"])
async def stylesheet(visit: Visiting) -> Response:
    """Give the project's colours, mixed for light and dark surfaces."""
    async with visit.database.reading() as session:
        project = await projects.find(session)
    branding = project.branding if project else {}
    primary = _known(branding.get("primary"), PRIMARY)
    accent = _known(branding.get("accent"), ACCENT)
    light, dark = _rules(primary, accent, LIGHT), _rules(primary, accent, DARK)
    css = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return Response(css, media_type="text/css", headers={"Cache-Control": "public, max-age=300"})


def readable(colour: str, surface: str) -> str:
    """Return the colour, mixed with black or white just so far that it can be read on the surface."""
    towards = max("#000000", "#ffffff", key=lambda end: contrast(end, surface))
    mixed = (_mix(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(colour for colour in mixed if contrast(colour, surface) >= WANTED)


def _rules(primary: str, accent: str, surface: str) -> str:
    primary, accent = readable(primary, surface), readable(accent, surface)
    on_primary = max("#000000", "#ffffff", key=lambda ink: contrast(ink, primary))
    return f"--primary:{primary};--on-primary:{on_primary};--accent:{accent}"


def _known(colour: str | None, otherwise: str) -> str:
    return colour if colour and _HEX.fullmatch(colour) else otherwise


def _mix(colour: str, towards: str, share: float) -> str:
    pairs = zip(channels(colour), channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
