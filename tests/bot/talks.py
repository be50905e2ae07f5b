"""A person who talks with the bot."""

from demo.telegram import Telegram
from demo.telegram.messages import Message


class Talk:
    """A person's chat with the bot."""

    def __init__(self, cloud: Telegram, first_name: str, language_code: str = "en") -> None:
        self.cloud = cloud
        self.id = cloud.add_user(first_name, language_code=language_code).id

    async def say(self, text: str, *, containing: str = "") -> Message:
        """Write, and return the bot's first message after that (with those words)."""
        sent = await self.cloud.send_text(self.id, text)
        return await self.cloud.wait_for_message(self.id, sent, containing=containing)

    async def press(self, message: Message, label: str) -> Message:
        """Press the button with those words, and return the message that changed or came."""
        button = next(button for button in message.buttons if label in button.text)
        assert button.callback_data is not None
        before = self.cloud.chats[self.id].revision
        self.cloud.press(self.id, message.message_id, button.callback_data)

        def look() -> Message | None:
            changed = [
                each for each in self.cloud.messages(self.id) if each.from_bot and each.revision > before
            ]
            return changed[-1] if changed else None

        found = await self.cloud.wait_until(look)
        assert found is not None
        return found

    async def agree(self, screen: Message) -> Message:
        """Press "I agree" under a consent text, and return the message that comes after it."""
        await self.press(screen, "I agree")
        return await self.cloud.wait_for_message(self.id, screen)

    def said(self) -> list[str]:
        """Return everything the bot's messages say now."""
        return [message.text for message in self.cloud.messages(self.id) if message.from_bot]
