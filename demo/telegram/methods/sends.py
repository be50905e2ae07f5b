"""What the bot puts into a chat: messages, documents, copies, the typing indicator."""

from typing import Any

from demo.telegram.chats import TYPING_SECONDS, Chat
from demo.telegram.cloud import Telegram
from demo.telegram.detections import detect
from demo.telegram.entities import parse_html
from demo.telegram.errors import RefusedError, bad_request
from demo.telegram.keyboards import check_markup
from demo.telegram.messages import Document, Draft
from demo.telegram.parameters import Parameters
from demo.telegram.texts import Entity, FormattedText

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
DOCUMENT_BYTES = 50 * 1024 * 1024
CHAT_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


def send_message(telegram: Telegram, parameters: Parameters) -> dict[str, Any]:
    said = read_text(parameters)
    chat = telegram.open_chat(parameters.text("chat_id"))
    return _post(telegram, chat, parameters, Draft(said))


def send_document(telegram: Telegram, parameters: Parameters) -> dict[str, Any]:
    said = read_caption(parameters)
    chat = telegram.open_chat(parameters.text("chat_id"))
    return _post(telegram, chat, parameters, Draft(said, _read_document(telegram, parameters)))


def copy_message(telegram: Telegram, parameters: Parameters) -> dict[str, Any]:
    source = telegram.chat_of_bot(parameters.text("from_chat_id"))
    original = source.kept.get(parameters.integer("message_id"))
    if original is None:
        raise bad_request("message to copy not found")
    said = original.said
    if original.document and "caption" in parameters.values:
        said = read_caption(parameters)
    chat = telegram.open_chat(parameters.text("chat_id"))
    copied = _post(telegram, chat, parameters, Draft(said, original.document))
    return {"message_id": copied["message_id"]}


def send_chat_action(telegram: Telegram, parameters: Parameters) -> bool:
    if parameters.text("action") not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = telegram.open_chat(parameters.text("chat_id"))
    chat.type_until(telegram.clock() + TYPING_SECONDS)
    telegram.bell.ring()
    return True


def read_text(parameters: Parameters) -> FormattedText:
    """Return the text of a message as it will stand in the chat."""
    said = _read_formatted(parameters, "text", "entities")
    if not said.text:
        raise bad_request("message text is empty")
    if said.length > TEXT_LENGTH:
        raise bad_request("message is too long")
    return detect(said)


def read_caption(parameters: Parameters) -> FormattedText:
    said = _read_formatted(parameters, "caption", "caption_entities")
    if said.length > CAPTION_LENGTH:
        raise bad_request("message caption is too long")
    return detect(said)


def _read_formatted(parameters: Parameters, field: str, entities: str) -> FormattedText:
    text = parameters.text(field).replace("\r", "")
    mode = parameters.text("parse_mode").lower()
    if mode == "html":
        return parse_html(text).trimmed()
    if mode:
        # Markdown exists on the real service; whoever escapes for HTML must not send it by mistake
        raise bad_request("unsupported parse_mode")
    found = tuple(_read_entity(raw) for raw in parameters.listed(entities) or [])
    return FormattedText(text, found).trimmed()


def _read_entity(raw: Any) -> Entity:
    try:
        place = int(raw["offset"]), int(raw["length"])
        return Entity(str(raw["type"]), *place, raw.get("url"), raw.get("language"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise bad_request("can't parse MessageEntity") from None


def _read_document(telegram: Telegram, parameters: Parameters) -> Document:
    upload = parameters.file("document")
    if upload is None:
        return _known_document(telegram, parameters.text("document"))
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > DOCUMENT_BYTES:
        raise RefusedError(413, "Request Entity Too Large")
    document = Document(f"D{telegram.number()}", upload.name, upload.mime_type, upload.content)
    telegram.documents[document.file_id] = document
    return document


def _known_document(telegram: Telegram, file_id: str) -> Document:
    if not file_id:
        raise bad_request("there is no document in the request")
    if file_id not in telegram.documents:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return telegram.documents[file_id]


def _post(telegram: Telegram, chat: Chat, parameters: Parameters, draft: Draft) -> dict[str, Any]:
    markup = check_markup(parameters.nested("reply_markup"))
    reply_to = _read_reply(chat, parameters)
    message = telegram.post(chat, Draft(draft.said, draft.document, markup, reply_to))
    return chat.describe(message)


def _read_reply(chat: Chat, parameters: Parameters) -> int | None:
    wanted = parameters.nested("reply_parameters") or {}
    message_id = int(wanted.get("message_id") or parameters.integer("reply_to_message_id"))
    if not message_id or message_id in chat.kept:
        return message_id or None
    if wanted.get("allow_sending_without_reply") or parameters.flag("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


METHODS = {
    "sendMessage": send_message,
    "sendDocument": send_document,
    "copyMessage": copy_message,
    "sendChatAction": send_chat_action,
}
