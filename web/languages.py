"""Which language a visitor reads, from the address or from what the browser says."""

from collections.abc import Iterable

from starlette.requests import Request

from domain.languages import Language, choose

PARAMETER = "language"
_MOST_TAGS = 20
"""A browser names a handful of languages; a longer header is somebody's joke."""


def language_for(request: Request, offered: Iterable[Language]) -> Language:
    """Return the language of `?language=xx`, else the best of Accept-Language, else English."""
    tags = accepted(request.headers.get("accept-language", ""))
    return choose([request.query_params.get(PARAMETER), *tags], offered)


def accepted(header: str) -> list[str]:
    """Return the tags of an Accept-Language header, most wanted first (RFC 9110, 12.5.4)."""
    wanted = [_weighed(part) for part in header.split(",")[:_MOST_TAGS]]
    ranked = sorted((pair for pair in wanted if pair[0] > 0), key=lambda pair: -pair[0])
    return [tag for _, tag in ranked]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, weight = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0, tag.strip()
    try:
        return float(weight), tag.strip()
    except ValueError:
        return 0.0, tag.strip()
