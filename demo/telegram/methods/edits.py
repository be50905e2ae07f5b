"""What the bot changes in a chat: edits, deletions, answers to pressed buttons."""

from typing import Any

from demo.telegram.chats import Chat
from demo.telegram.cloud import Telegram
from demo.telegram.errors import bad_request
from demo.telegram.keyboards import Markup, check_markup
from demo.telegram.messages import Message
from demo.telegram.methods.sends import read_text
from demo.telegram.parameters import Parameters
from demo.telegram.texts import FormattedText

ANSWER_LENGTH = 200
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)


def edit_message_text(telegram: Telegram, parameters: Parameters) -> dict[str, Any]:
    said = read_text(parameters)
    chat, message = _own_message(telegram, parameters)
    if message.document:
        raise bad_request("there is no text in the message to edit")
    return _change(telegram, chat, message, said, check_markup(parameters.nested("reply_markup")))


def edit_message_reply_markup(telegram: Telegram, parameters: Parameters) -> dict[str, Any]:
    chat, message = _own_message(telegram, parameters)
    markup = check_markup(parameters.nested("reply_markup"))
    return _change(telegram, chat, message, message.said, markup)


def delete_message(telegram: Telegram, parameters: Parameters) -> bool:
    chat = telegram.chat_of_bot(parameters.text("chat_id"))
    message = chat.kept.get(parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    chat.delete(message)
    telegram.bell.ring()
    return True


def answer_callback_query(telegram: Telegram, parameters: Parameters) -> bool:
    query_id = parameters.text("callback_query_id")
    if query_id not in telegram.queries:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = parameters.text("text")
    if len(text) > ANSWER_LENGTH:
        raise bad_request("MESSAGE_TOO_LONG")
    chat = telegram.chats[telegram.queries[query_id]]
    chat.answer(query_id, text, alert=parameters.flag("show_alert"))
    telegram.bell.ring()
    return True


def _own_message(telegram: Telegram, parameters: Parameters) -> tuple[Chat, Message]:
    chat = telegram.open_chat(parameters.text("chat_id"))
    message = chat.kept.get(parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return chat, message


def _change(
    telegram: Telegram, chat: Chat, message: Message, said: FormattedText, markup: Markup | None
) -> dict[str, Any]:
    if (said, markup) == (message.said, message.markup):
        raise bad_request(NOT_MODIFIED)
    chat.edit(message, said, markup, date=telegram.now())
    telegram.bell.ring()
    return chat.describe(message)


METHODS = {
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
}
