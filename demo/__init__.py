"""Stand-ins for the outside world: Telegram, a mail relay and their pages, all on one machine."""
