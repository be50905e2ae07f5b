"""The subscription form as a chat fills it in: kept in the chat's row, one step at a time."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.chats import DIALOGUE_LASTS, Chat
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import Language
from domain.subscribers import Channel


class Step(StrEnum):
    """What is being asked."""

    CHANNEL = "channel"
    EMAIL = "email"
    HELIX = "helix"
    TARGET = "target"
    COUNTRY = "country"
    TOPICS = "topics"
    CONSENT = "consent"


class Form(BaseModel):
    """What was said so far."""

    model_config = ConfigDict(extra="forbid")

    step: Step = Step.CHANNEL
    channels: tuple[Channel, ...] = ()
    email: str = ""
    guess: str = ""
    """The address we think was meant, while we ask about a slip of the finger."""
    helix: HelixGroup | None = None
    target: TargetGroup | None = None
    country: str | None = None
    topics: tuple[str, ...] = ()
    consents: dict[Channel, str] = {}
    """The exact words shown for each channel."""
    consents_language: Language | None = None

    @property
    def consents_mark(self) -> str:
        """A short digest of the words shown: agreeing to an older screen is no agreement to this one."""
        return sha256("\n".join(self.consents.values()).encode()).hexdigest()[:12]

    def steps(self, *, has_topics: bool) -> list[Step]:
        """Return the steps that this form goes through, in order."""
        asked = {
            Step.EMAIL: Channel.EMAIL in self.channels,
            Step.TARGET: self.helix is not None,
            Step.TOPICS: has_topics,
        }
        return [step for step in Step if asked.get(step, True)]


def begin(chat: Chat, now: datetime) -> Form:
    """Return an empty form, kept in place of what the chat was filling in before."""
    form = Form()
    chat.dialogue_begun_at = now
    save(chat, form)
    return form


def load(chat: Chat, now: datetime) -> Form | None:
    """Return the form that this chat is filling in; one from another day or version is forgotten."""
    if not chat.dialogue or chat.dialogue_begun_at is None or now - chat.dialogue_begun_at >= DIALOGUE_LASTS:
        return None
    try:
        return Form.model_validate(chat.dialogue)
    except ValidationError:
        return None


def save(chat: Chat, form: Form | None) -> None:
    """Keep the form, or forget it."""
    chat.dialogue = form.model_dump(mode="json") if form else None
    if form is None:
        chat.dialogue_begun_at = None
