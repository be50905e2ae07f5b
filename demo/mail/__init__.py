"""The mail stand-in: a relay that keeps what it receives and the inbox page that shows it."""

from demo.mail.faults import Reply
from demo.mail.inbox import create_app
from demo.mail.letters import Letter
from demo.mail.relay import Relay

__all__ = ["Letter", "Relay", "Reply", "create_app"]
