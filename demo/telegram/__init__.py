"""A strict stand-in for Telegram: the Bot API, the people, and a chat page."""

from demo.telegram.cloud import Telegram
from demo.telegram.floods import Flood
from demo.telegram.servers import create_app, served

__all__ = ["Flood", "Telegram", "create_app", "served"]
