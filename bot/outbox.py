"""Carries replies out: within the limits, once each, with Telegram's pauses obeyed by everybody."""

import math

import structlog
import telegram
from telegram import (
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode

from bot.api import translated
from bot.limits import Limits
from bot.replies import AnswerButton, EditText, Reply, Rows, SendFile, SendText, SetCommands
from bot.troubles import Busy, Moved, Refused, Trouble

log = structlog.get_logger()

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_AS_IT_STANDS = "message is not modified"
_LOST = ("message to edit not found", "message can't be edited", "there is no text in the message")


def chat_of(reply: Reply) -> int | None:
    """Return the chat whose limit a reply uses up; menus and pressed buttons are no messages."""
    return None if isinstance(reply, AnswerButton | SetCommands) else reply.chat_id


class Outbox:
    """The one place where the bot speaks."""

    def __init__(self, bot: telegram.Bot, limits: Limits) -> None:
        """Take a bot that was introduced, and the limits that all of its writers share."""
        self._bot = bot
        self._limits = limits

    @property
    def paused(self) -> float:
        """The seconds for which Telegram lets nobody write."""
        return self._limits.paused

    async def turn(self, chat_id: int | None, *, bulk: bool = False, patience: float = math.inf) -> float:
        """Wait for the turn to send one reply and return 0; or the seconds it takes, beyond `patience`.

        Whoever marks a reply as begun does so after this: the wait may be long, and may be cut off.
        """
        return await self._limits.turn(chat_id, bulk=bulk, patience=patience)

    async def send(self, reply: Reply) -> None:
        """Carry out one reply, after `turn`; raises `Trouble`. After `Busy` every next turn comes later."""
        try:
            await self._carry_out(reply)
        except Busy as busy:
            self._limits.pause(busy.seconds)
            raise
        except Moved as moved:
            await self._carry_out(reply.model_copy(update={"chat_id": moved.chat_id}))

    async def show_typing(self, chat_id: int) -> None:
        """Let the person see that an answer is on its way; that it fails is of no importance."""
        await self._limits.turn(None)
        try:
            with translated():
                await self._bot.send_chat_action(chat_id, ChatAction.TYPING)
        except Busy as busy:
            self._limits.pause(busy.seconds)
        except Trouble as trouble:
            log.info("typing_not_shown", trouble=type(trouble).__name__)

    async def _carry_out(self, reply: Reply) -> None:
        match reply:
            case SendText():
                await self._send_text(reply)
            case EditText():
                await self._edit_text(reply)
            case SendFile():
                await self._send_file(reply)
            case AnswerButton():
                with translated():
                    await self._bot.answer_callback_query(reply.query_id, reply.text or None)
            case SetCommands():
                await self._set_commands(reply)

    async def _send_text(self, reply: SendText) -> None:
        answered = reply.answers and ReplyParameters(reply.answers, allow_sending_without_reply=True)
        with translated():
            await self._bot.send_message(
                reply.chat_id,
                reply.html,
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                reply_markup=_keyboard(reply.buttons),
                reply_parameters=answered or None,
            )

    async def _edit_text(self, reply: EditText) -> None:
        try:
            with translated():
                await self._bot.edit_message_text(
                    reply.html,
                    reply.chat_id,
                    reply.message_id,
                    parse_mode=ParseMode.HTML,
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=_keyboard(reply.buttons),
                )
        except Refused as refused:
            if any(words in str(refused).lower() for words in _LOST):
                await self._send_text(SendText(chat_id=reply.chat_id, html=reply.html, buttons=reply.buttons))
            elif _AS_IT_STANDS not in str(refused).lower():
                raise

    async def _send_file(self, reply: SendFile) -> None:
        file = InputFile(reply.content.encode(), filename=reply.name, attach=True)
        with translated():
            await self._bot.send_document(
                reply.chat_id, file, caption=reply.html or None, parse_mode=ParseMode.HTML
            )

    async def _set_commands(self, reply: SetCommands) -> None:
        commands = [BotCommand(name, description) for name, description in reply.commands]
        with translated():
            await self._bot.set_my_commands(commands, scope=BotCommandScopeChat(reply.chat_id))


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(each.text, callback_data=each.data, url=each.url) for each in row]
            for row in rows
        ]
    )
