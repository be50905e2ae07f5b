"""The public pages: subscribing, preferences, leaving, the archive, events, and Telegram's hook."""
