"""Telegram's side of the demo: accounts, chats and what happens in them."""

import itertools
import time
from collections.abc import Callable
from typing import Any, TypeVar

from demo.telegram.bells import Bell
from demo.telegram.chats import Answer, Chat
from demo.telegram.detections import detect
from demo.telegram.errors import RefusedError, bad_request, forbidden
from demo.telegram.faults import Fault, Faults
from demo.telegram.floods import Flood
from demo.telegram.messages import Document, Draft, Message
from demo.telegram.people import BotAccount, Person
from demo.telegram.profiles import Profile
from demo.telegram.texts import FormattedText
from demo.telegram.updates import Updates
from demo.telegram.webhooks import Courier

Found = TypeVar("Found")
Clock = Callable[[], float]

PATIENCE = 5.0


class Telegram:
    """Everything the real service would know, in memory. Tests act as people through its methods."""

    def __init__(
        self,
        token: str,
        *,
        username: str = "helixpost_bot",
        name: str = "Helixpost",
        flood: Flood | None = None,
        clock: Clock = time.time,
    ) -> None:
        number, _, secret = token.partition(":")
        if not (number.isascii() and number.isdigit() and secret):
            raise ValueError("a bot token looks like 123456:secret")
        self.token = token
        self.bot = BotAccount(int(number), name, username)
        self.flood = flood or Flood()
        self.clock = clock
        self.chats: dict[int, Chat] = {}
        self.documents: dict[str, Document] = {}
        self.profile = Profile()
        self.faults = Faults()
        self.bell = Bell()
        self.updates = Updates(self.bell)
        self.courier = Courier(self.updates, self.bell, clock)
        self.queries: dict[str, int] = {}
        self._person_ids = itertools.count(700_000_001)
        self._numbers = itertools.count(1)

    # what people do

    def add_user(
        self,
        first_name: str = "Ana",
        *,
        language_code: str = "en",
        last_name: str | None = None,
        username: str | None = None,
        started: bool = False,
    ) -> Person:
        """Return a new person; `started` means that they wrote to the bot before."""
        person = Person(next(self._person_ids), first_name, last_name, username, language_code)
        self.chats[person.id] = Chat(person, self.bot, started=started)
        return person

    async def send_text(self, user_id: int, text: str) -> Message:
        """Let a person write to the bot, and return the message.

        Raises ValueError for a blank text or while the person blocks the bot.
        """
        chat = self.chats[user_id]
        said = FormattedText(text).trimmed()
        if chat.blocked or not said.text:
            raise ValueError("the bot is blocked" if chat.blocked else "the text is blank")
        chat.started = True
        message = chat.add(Draft(detect(said)), from_bot=False, date=self.now())
        self.updates.add("message", chat.describe(message))
        self.bell.ring()
        return message

    async def start(self, user_id: int, payload: str = "") -> Message:
        """Let a person press Start, as after a link t.me/<bot>?start=<payload>."""
        return await self.send_text(user_id, f"/start {payload}".strip())

    def press(self, user_id: int, message_id: int, callback_data: str) -> str:
        """Let a person press a button, and return the id of the callback query.

        Raises LookupError where no such button is shown.
        """
        chat = self.chats[user_id]
        message = chat.kept.get(message_id)
        shown = [button.callback_data for button in message.buttons] if message else []
        if message is None or callback_data not in shown:
            raise LookupError(f"message {message_id} shows no button {callback_data!r}, but {shown}")
        query_id = str(4_000_000_000 + next(self._numbers))
        self.queries[query_id] = user_id
        content = {
            "id": query_id,
            "from": chat.person.to_api(),
            "chat_instance": str(user_id),
            "message": chat.describe(message),
            "data": callback_data,
        }
        self.updates.add("callback_query", content)
        return query_id

    def block(self, user_id: int) -> None:
        """Let a person block the bot; it is told with a my_chat_member update."""
        self._change_membership(user_id, blocked=True)

    def unblock(self, user_id: int) -> None:
        self._change_membership(user_id, blocked=False)

    def set_language(self, user_id: int, language_code: str) -> None:
        """Change the language of a person's app; their next update carries it."""
        chat = self.chats[user_id]
        chat.person.language_code = language_code
        self.touch(chat)

    # what people see

    def messages(self, user_id: int) -> list[Message]:
        """Return the chat of a person, both sides, oldest first, without what was deleted."""
        return list(self.chats[user_id].kept.values())

    def answers(self, user_id: int) -> list[Answer]:
        """Return what answerCallbackQuery showed to a person, oldest first."""
        return list(self.chats[user_id].answers)

    async def wait_for_message(
        self, user_id: int, after: int | Message = 0, *, containing: str = "", timeout: float = PATIENCE
    ) -> Message:
        """Return the bot's first message after the given one, waiting for it.

        Raises TimeoutError, which shows the chat, after `timeout` seconds.
        """
        last = after.message_id if isinstance(after, Message) else after

        def look() -> Message | None:
            found = (m for m in self.messages(user_id) if m.from_bot and m.message_id > last)
            return next((message for message in found if containing in message.text), None)

        try:
            message = await self.wait_until(look, timeout=timeout)
        except TimeoutError:
            chat = [(message.message_id, message.text) for message in self.messages(user_id)]
            raise TimeoutError(f"nothing came after {last} in {timeout} s; the chat: {chat}") from None
        assert message is not None
        return message

    async def wait_until(self, look: Callable[[], Found], *, timeout: float = PATIENCE) -> Found:
        """Return the first truthy value of `look`, asked again after every change."""
        return await self.bell.until(look, timeout=timeout)

    # faults

    def fail_next(
        self,
        method: str,
        status: int,
        description: str,
        retry_after: int | None = None,
        count: int = 1,
    ) -> None:
        """Answer the next `count` calls of a method ("*" is any) with this error, and do nothing."""
        refusal = RefusedError(status, description, retry_after=retry_after)
        self.faults.add(Fault(method.lower(), refusal), count)

    def drop_next(self, method: str, count: int = 1, *, performed: bool = True) -> None:
        """Close the next `count` calls of a method without an answer.

        `performed` decides whether the call was carried out before its answer got lost.
        """
        self.faults.add(Fault(method.lower(), performed=performed), count)

    # what the bot does

    def now(self) -> int:
        return int(self.clock())

    def number(self) -> int:
        """Return a number that was never given out before."""
        return next(self._numbers)

    def chat_of_bot(self, chat_id: str) -> Chat:
        """Return a chat the bot may look at, or refuse as Telegram does."""
        if not chat_id:
            raise bad_request("chat_id is empty")
        chat = self.chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def open_chat(self, chat_id: str) -> Chat:
        """Return a chat the bot may write to, or refuse as Telegram does."""
        chat = self.chat_of_bot(chat_id)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        if not chat.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat

    def post(self, chat: Chat, draft: Draft) -> Message:
        """Put the bot's message into a chat, within the flood limits."""
        self.flood.spend(chat.id, self.clock())
        message = chat.add(draft, from_bot=True, date=self.now())
        self.bell.ring()
        return message

    def touch(self, chat: Chat) -> None:
        """Let everybody who looks at the chat look again."""
        chat.revision += 1
        self.bell.ring()

    def close(self) -> None:
        """End every wait, so that a server can stop; nothing is delivered afterwards."""
        self.updates.close()
        self.courier.stop()

    def _change_membership(self, user_id: int, *, blocked: bool) -> None:
        chat = self.chats[user_id]
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        self.touch(chat)
        content = {
            "chat": chat.person.chat_to_api(),
            "from": chat.person.to_api(),
            "date": self.now(),
            "old_chat_member": self._membership(blocked=not blocked),
            "new_chat_member": self._membership(blocked=blocked),
        }
        self.updates.add("my_chat_member", content)

    def _membership(self, *, blocked: bool) -> dict[str, Any]:
        if blocked:
            return {"user": self.bot.to_api(), "status": "kicked", "until_date": 0}
        return {"user": self.bot.to_api(), "status": "member"}
