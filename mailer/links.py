"""Links: the addresses of ours that a letter to a subscriber leads to."""

from domain.languages import Language
from domain.sites import ServiceSettings


def links_for(service: ServiceSettings, language: Language, archive: str, token: str) -> dict[str, str]:
    """Return the addresses that every letter to a subscriber leads to, in the letter's language."""
    pages = {
        "unsubscribe_url": f"/unsubscribe/{token}",
        "preferences_url": "/preferences",
        "archive_url": archive,
        "subscribe_url": "/subscribe",
    }
    return {name: service.url(f"{path}?language={language}") for name, path in pages.items()}
