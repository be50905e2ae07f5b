"""Leaving by the link in a letter: one click for machines (RFC 8058), two and an undo for people.

The link is in every letter and letters get forwarded: these pages say nothing about whose it is.
"""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from domain import subscriptions
from domain.consents import Method, Proof
from domain.subscribers import Channel, Subscriber
from web import forms
from web.visits import Visit, Visiting

_ONE_CLICK = ("List-Unsubscribe", "One-Click")

router = APIRouter(prefix="/unsubscribe")


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(visit: Visiting, token: str) -> Response:
    """Show the button that unsubscribes; mail scanners open this page and nothing happens."""
    if visit.service.keyring.read_unsubscribe(token) is None:
        return await _unknown(visit)
    return await visit.page("web/unsubscribe.html", private=True, token=token)


@router.post("/{token}")
async def leave(visit: Visiting, token: str) -> Response:
    """Stop the letters; twice is fine, and so is a link of somebody who was erased."""
    number = visit.service.keyring.read_unsubscribe(token)
    if number is None:
        return await _unknown(visit)
    one_click = await _is_one_click(visit)
    async with visit.database.transaction() as session:
        subscriber = await session.get(Subscriber, number, with_for_update=True)
        if subscriber:
            method = Method.ONE_CLICK if one_click else Method.WEB
            proof = Proof(method, subscriptions.BY_LINK, visit.now)
            await subscriptions.leave(session, subscriber, [Channel.EMAIL], proof, visit.service.keyring)
    if one_click:
        return PlainTextResponse("unsubscribed", headers={"Cache-Control": "no-store"})
    return await visit.page("web/unsubscribed.html", private=True, token=token)


@router.post("/{token}/undo")
async def undo(visit: Visiting, token: str) -> Response:
    """Take back an unsubscribing of the last hour."""
    number = visit.service.keyring.read_unsubscribe(token)
    if number is None:
        return await _unknown(visit)
    async with visit.database.transaction() as session:
        subscriber = await session.get(Subscriber, number, with_for_update=True)
        back = subscriber is not None and await subscriptions.undo_leave(
            session, subscriber, visit.service.keyring, visit.now
        )
    return await visit.page("web/undone.html", private=True, here=f"/unsubscribe/{token}", back=back)


async def _is_one_click(visit: Visit) -> bool:
    """Tell a mail program from a person: by the field of RFC 8058, or by a form no browser would send."""
    name, value = _ONE_CLICK
    try:
        return (await forms.read(visit.request)).raw(name) == value
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        return True


async def _unknown(visit: Visit) -> Response:
    return await visit.page("web/unsubscribe-unknown.html", status=404, private=True, here="/preferences")
