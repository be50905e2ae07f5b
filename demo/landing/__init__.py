"""The demo's first page: it leads a newcomer from the chat to the first newsletter."""

from demo.landing.page import create_app
from demo.landing.tours import Tour

__all__ = ["Tour", "create_app"]
