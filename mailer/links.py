"""Links: the addresses of ours that a letter to a subscriber leads to."""

from domain.languages import Language
from domain.sites import ServiceSettings


def own_link(service: ServiceSettings, language: Language, token: str) -> str:
    """Return the address at which one reader leaves; the only one that differs between readers."""
    return service.url(f"/unsubscribe/{token}?language={language}")


def links_for(service: ServiceSettings, language: Language, archive: str, own: str) -> dict[str, str]:
    """Return the addresses that every letter to a subscriber leads to, in the letter's language."""
    pages = {"preferences_url": "/preferences", "archive_url": archive, "subscribe_url": "/subscribe"}
    shared = {name: service.url(f"{path}?language={language}") for name, path in pages.items()}
    return shared | {"unsubscribe_url": own}
