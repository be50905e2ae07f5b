"""Telegram's hook: updates are stored before Telegram hears that they arrived."""

import hmac
import json
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from domain import updates
from domain.sites import WEBHOOK_PATH
from web.visits import Visiting

log = structlog.get_logger()

LONGEST_UPDATE = 1024 * 1024
_LARGEST_NUMBER = 2**63 - 1

router = APIRouter()


@router.post(WEBHOOK_PATH)
async def take(visit: Visiting) -> Response:
    """Store an update and answer 200 after the commit; one that came before is answered the same.

    Whoever does not know the secret finds no page here. A body that is no update is answered 400:
    Telegram never sends one, so somebody should look.
    """
    told = visit.request.headers.get("x-telegram-bot-api-secret-token", "")
    secret = visit.service.keyring.webhook_secret()
    if not hmac.compare_digest(told.encode("latin-1"), secret.encode()):
        raise HTTPException(404)
    raw = _update_in(await visit.request.body())
    if raw is None:
        log.warning("update_refused")
        return PlainTextResponse("This is not an update.", 400)
    async with visit.database.transaction() as session:
        fresh = await updates.store(session, raw, updates.chat_of(raw), visit.now)
    log.info("update_stored", update_id=raw["update_id"], fresh=fresh)
    return PlainTextResponse("ok")


def _update_in(body: bytes) -> dict[str, Any] | None:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    number = raw.get("update_id") if isinstance(raw, dict) else None
    known = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _LARGEST_NUMBER
    return raw if known else None
