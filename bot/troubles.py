"""What can go wrong in a call to Telegram, by what it means for us.

Trouble
├── Busy         429: nothing was done; wait that long
├── Unreachable  nothing was done; try again later
├── Uncertain    no answer came: it may have been done, so it is never blindly done again
├── Gone         the person blocked the bot, or the chat is no more
├── Moved        the group has a new number
├── Taken        somebody else reads this bot's updates
├── Refused      Telegram will never do this (carries its reason)
└── BadToken     Telegram does not know the token
"""


class Trouble(Exception):
    """A call to Telegram that did not end well."""


class Busy(Trouble):
    """Nothing was done: Telegram asks us to wait."""

    def __init__(self, seconds: float) -> None:
        """Carry how many seconds to wait."""
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


class Unreachable(Trouble):
    """Nothing was done: no connection, or Telegram is in trouble itself."""


class Uncertain(Trouble):
    """No answer came; the call may have been carried out."""


class Gone(Trouble):
    """Nobody reads this chat any more."""


class Moved(Trouble):
    """The group became a supergroup."""

    def __init__(self, chat_id: int) -> None:
        """Carry the number that it has now."""
        super().__init__("the group has a new number")
        self.chat_id = chat_id


class Taken(Trouble):
    """Another process asks for this bot's updates."""


class Refused(Trouble):
    """Telegram will never do this; the message is its own reason, without any of our text."""


class BadToken(Trouble):
    """Telegram does not know the token."""
