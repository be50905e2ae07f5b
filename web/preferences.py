"""Preferences: the link to them, and what its holder may do once: change, leave, copy, erase.

A link is spent by whatever its holder does with it; looking, and a form with a mistake in it, spend
nothing. Whoever wants to do more asks for another link.
"""

import json
from typing import Any

from fastapi import APIRouter
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain import dossiers, projects, subscribers, subscriptions, tokens
from domain.addresses import address_of
from domain.consents import Method, Proof
from domain.subscribers import Channel, Profile, Subscriber
from domain.tokens import Purpose
from web import forms, profiles
from web.forms import Problem
from web.visits import Visit, Visiting

_EVIDENCE = "the preferences page"

router = APIRouter(prefix="/preferences")


@router.api_route("", methods=["GET", "HEAD"])
async def show(visit: Visiting) -> Response:
    """Ask for the address that the link shall go to."""
    return await visit.page("web/preferences-ask.html", email="", problems={})


@router.post("")
async def ask(visit: Visiting) -> Response:
    """Send the link; an address we do not know is answered alike."""
    form = await forms.read(visit.request)
    address = form.address("email")
    if address is None:
        return await visit.page(
            "web/preferences-ask.html", status=422, email=form.raw("email"), problems=form.problems
        )
    async with visit.database.transaction() as session:
        await subscriptions.request_preferences(
            session, address, visit.language, visit.service.keyring, visit.now
        )
    return await visit.page("web/preferences-sent.html", private=True)


@router.post("/by-token/{token}")
async def ask_by_token(visit: Visiting, token: str) -> Response:
    """Send the link to the address that an unsubscribe link belongs to, without telling which it is."""
    number = visit.service.keyring.read_unsubscribe(token)
    if number is None:
        raise HTTPException(404)
    async with visit.database.transaction() as session:
        subscriber = await session.get(Subscriber, number)
        if subscriber and subscriber.email:
            address, language = address_of(subscriber.email), subscriber.language
            await subscriptions.request_preferences(
                session, address, language, visit.service.keyring, visit.now
            )
    return await visit.page("web/preferences-sent.html", private=True, here="/preferences")


@router.api_route("/{secret}", methods=["GET", "HEAD"])
async def look(visit: Visiting, secret: str) -> Response:
    """Show the holder what we know about them, in a form."""
    return await _form(visit, secret)


@router.post("/{secret}")
async def save(visit: Visiting, secret: str) -> Response:
    """Write the form over the profile."""
    form = await forms.read(visit.request)
    async with visit.database.transaction() as session:
        project = await projects.find(session)
        profile = profiles.read(form, visit, project)
        holder = None if form.problems else await _spend(session, secret, visit)
        if holder:
            await subscribers.change(session, holder, profile)
    if form.problems:
        return await _form(visit, secret, typed=profiles.typed_in(form, project), problems=form.problems)
    return await _done(visit, "saved") if holder else await _gone(visit)


@router.post("/{secret}/leave")
async def leave(visit: Visiting, secret: str) -> Response:
    """Stop the newsletter on every channel."""
    async with visit.database.transaction() as session:
        holder = await _spend(session, secret, visit)
        if holder:
            proof = Proof(Method.WEB, _EVIDENCE, visit.now)
            await subscriptions.leave(session, holder, list(Channel), proof, visit.service.keyring)
    return await _done(visit, "left") if holder else await _gone(visit)


@router.post("/{secret}/copy")
async def copy(visit: Visiting, secret: str) -> Response:
    """Hand over everything we hold about the person (GDPR, Articles 15 and 20)."""
    async with visit.database.transaction() as session:
        holder = await _spend(session, secret, visit)
        dossier = await dossiers.collect(session, holder) if holder else {}
    if not holder:
        return await _gone(visit)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return Response(
        json.dumps(dossier, ensure_ascii=False, indent=2), media_type="application/json", headers=headers
    )


@router.post("/{secret}/erase")
async def erase(visit: Visiting, secret: str) -> Response:
    """Erase the person, once they have ticked that they mean it (GDPR, Article 17)."""
    form = await forms.read(visit.request)
    if not form.ticked("sure"):
        return await _form(visit, secret, problems={"sure": Problem.NOT_TICKED})
    async with visit.database.transaction() as session:
        holder = await _spend(session, secret, visit)
        if holder:
            await dossiers.erase(session, holder, visit.service.keyring, visit.now)
    return await _done(visit, "erased") if holder else await _gone(visit)


async def _spend(session: AsyncSession, secret: str, visit: Visit) -> Subscriber | None:
    """Return the holder of a link and spend it; None when it is not, or no longer, good."""
    holder = await subscriptions.holder_of_preferences(session, secret, visit.now)
    spent = holder and await tokens.use(session, Purpose.PREFERENCES, secret, visit.now)
    return holder if spent else None


async def _form(
    visit: Visit,
    secret: str,
    *,
    typed: dict[str, Any] | None = None,
    problems: dict[str, Problem] | None = None,
) -> Response:
    async with visit.database.reading() as session:
        holder = await subscriptions.holder_of_preferences(session, secret, visit.now)
        profile = await subscribers.profile_of(session, holder) if holder else None
    if holder is None or profile is None:
        return await _gone(visit)
    return await visit.page(
        "web/preferences.html",
        status=422 if problems else 200,
        private=True,
        here=f"/preferences/{secret}",
        secret=secret,
        holder=holder,
        masked=address_of(holder.email).masked if holder.email else "",
        values=typed or profiles.typed(profile),
        problems=problems or {},
        **profiles.choices(visit, _only_helix(profile)),
    )


def _only_helix(profile: Profile) -> Any:
    return None if profile.target_group else profile.helix_group


async def _done(visit: Visit, what: str) -> Response:
    return await visit.page("web/preferences-done.html", private=True, here="/preferences", what=what)


async def _gone(visit: Visit) -> Response:
    return await visit.page("web/preferences-gone.html", status=410, private=True, here="/preferences")
