"""Reply markups: which keyboards Telegram accepts under a message."""

from dataclasses import dataclass
from typing import Any

from demo.telegram.errors import bad_request
from demo.telegram.links import check_button_url

CALLBACK_DATA_BYTES = 64
BUTTONS_PER_MESSAGE = 100
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
)
KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")

Markup = dict[str, Any]


@dataclass(frozen=True)
class Button:
    """One button under a message, as a person sees it."""

    text: str
    callback_data: str | None = None
    url: str | None = None


def check_markup(markup: object) -> Markup | None:
    """Return the markup as Telegram keeps it; None where there is none or it is empty.

    Raises RefusedError (400) with Telegram's description.
    """
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _check_inline(markup["inline_keyboard"])
    if "keyboard" in markup:
        return _check_reply(markup)
    return markup if any(kind in markup for kind in KINDS) else None


def inline_rows(markup: Markup | None) -> list[list[Button]]:
    """Return the rows of buttons under a message."""
    rows = (markup or {}).get("inline_keyboard", [])
    return [[_button(raw) for raw in row] for row in rows]


def _button(raw: dict[str, Any]) -> Button:
    return Button(raw["text"], raw.get("callback_data"), raw.get("url"))


def _check_inline(rows: object) -> Markup | None:
    checked = [[_check_button(raw) for raw in row] for row in _rows(rows, "inline keyboard")]
    checked = [row for row in checked if row]
    if sum(map(len, checked)) > BUTTONS_PER_MESSAGE:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": checked} if checked else None


def _check_reply(markup: Markup) -> Markup:
    rows = _rows(markup["keyboard"], "reply keyboard")
    keyboard = [[raw if isinstance(raw, dict) else {"text": str(raw)} for raw in row] for row in rows]
    if not all(raw.get("text") for row in keyboard for raw in row):
        raise bad_request("can't parse keyboard button: Can't find field \"text\"")
    return markup | {"keyboard": keyboard}


def _rows(rows: object, kind: str) -> list[list[Any]]:
    if not isinstance(rows, list):
        raise bad_request(f'can\'t parse {kind}: Field "{kind.replace(" ", "_")}" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad_request(f"can't parse {kind}: Expected an Array of Arrays")
    return rows


def _check_button(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise bad_request("can't parse inline keyboard button: Expected an Object")
    if not isinstance(raw.get("text"), str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not raw["text"].strip():
        raise bad_request("REPLY_MARKUP_INVALID")
    _check_action(raw)
    return raw


def _check_action(raw: dict[str, Any]) -> None:
    if not any(raw.get(action) not in (None, "") for action in ACTIONS):
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(str(raw.get("callback_data") or "").encode()) > CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if url := raw.get("url"):
        check_button_url(str(url))
