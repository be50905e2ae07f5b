"""Which addresses Telegram accepts behind a link or a button."""

from urllib.parse import urlsplit

from demo.telegram.errors import bad_request

# The real service refuses hosts without a dot. The demo lives on one machine, so its own pages
# have to be reachable from a button too.
OWN_MACHINE = {"localhost", "127.0.0.1"}
APP_SCHEMES = {"tg", "ton", "tonsite"}


def check_link(url: str) -> str:
    """Return `url` with its scheme.

    Raises ValueError with Telegram's reason where it would not be accepted.
    """
    written = url.strip()
    address = written if "://" in written or written.lower().startswith("tg:") else f"http://{written}"
    parts = urlsplit(address)
    if parts.scheme.lower() in APP_SCHEMES:
        return address
    if parts.scheme.lower() not in {"http", "https"}:
        raise ValueError("Unsupported URL protocol")
    if not _is_host(parts.hostname or ""):
        raise ValueError("Wrong HTTP URL")
    return address


def check_button_url(url: str) -> str:
    """Return the address of a button, or refuse it as Telegram does."""
    try:
        return check_link(url)
    except ValueError as reason:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: {reason}") from None


def _is_host(host: str) -> bool:
    if host in OWN_MACHINE:
        return True
    return "." in host.strip(".") and not any(letter in host for letter in " <>\"'")
