"""Subscribing: the form, the answer that is the same for everyone, and the confirmation by a button."""

from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from domain import projects, subscriptions, tokens
from domain.consents import Method, Proof
from domain.errors import NotAllowed, NotFound
from domain.projects import Project
from domain.subscriptions import Request
from domain.tokens import Purpose
from web import forms, profiles
from web.forms import Form, Problem
from web.visits import Visit, Visiting

HONEYPOT = "website"
"""A field that people do not see and machines fill in."""
_EVIDENCE = "the form on /subscribe"

router = APIRouter()


@router.api_route("/subscribe", methods=["GET", "HEAD"])
async def show(visit: Visiting) -> Response:
    """Show the empty form."""
    values = profiles.blank(visit.language) | {"email": ""}
    return await _form(visit, await _project(visit), values=values, problems={})


@router.post("/subscribe")
async def ask(visit: Visiting) -> Response:
    """Send a confirmation mail; known, unknown and suppressed addresses are answered alike."""
    form = await forms.read(visit.request)
    if form.raw(HONEYPOT):
        return await _sent(visit, form.raw("email"))
    project = await _project(visit)
    asked = _request(form, visit, project)
    if asked is None:
        values = profiles.typed_in(form, project) | {"email": form.raw("email")}
        return await _form(visit, project, values=values, problems=form.problems)
    async with visit.database.transaction() as session:
        await subscriptions.request(session, asked, visit.service.keyring)
    return await _sent(visit, asked.address.email)


@router.api_route("/confirm/{secret}", methods=["GET", "HEAD"])
async def look(visit: Visiting, secret: str) -> Response:
    """Show the button that confirms; mail scanners open this page and nothing happens."""
    async with visit.database.reading() as session:
        waiting = await tokens.find(session, Purpose.CONFIRM, secret, visit.now)
        used = waiting is None and await tokens.was_used(session, Purpose.CONFIRM, secret)
        by_chat = waiting is not None and await subscriptions.offers_chat(session, waiting)
    if waiting is None:
        return await _gone(visit, used=used)
    return await visit.page("web/confirm.html", private=True, secret=secret, by_chat=by_chat)


@router.post("/confirm/{secret}")
async def confirm(visit: Visiting, secret: str) -> Response:
    """Make the holder of the link a subscriber; the chat that asked is theirs if they say so."""
    joins_chat = (await forms.read(visit.request)).ticked("joins_chat")
    try:
        async with visit.database.transaction() as session:
            await subscriptions.confirm(session, secret, visit.now, joins_chat=joins_chat)
    except NotAllowed:
        return await _gone(visit, used=True)
    except NotFound:
        return await _gone(visit, used=False)
    return await visit.page("web/confirmed.html", private=True, here="/")


def consent_text(visit: Visit, project: Project | None) -> str:
    """Return the exact words that a subscriber agrees to."""
    name = project.name if project else visit.service.name
    operator = visit.service.operator
    return visit.site.texts.render("consent/email.txt", visit.language, project=name, operator=operator)


async def _project(visit: Visit) -> Project | None:
    async with visit.database.reading() as session:
        return await projects.find(session)


def _request(form: Form, visit: Visit, project: Project | None) -> Request | None:
    """Return what the form asks for, or None with its problems noted."""
    text = consent_text(visit, project)
    address = form.address("email")
    profile = profiles.read(form, visit, project)
    if not form.ticked("agreed"):
        form.problems["agreed"] = Problem.NOT_AGREED
    elif form.raw("agreed_text") != _digest(text):  # what counts is the text that was on their screen
        form.problems["agreed"] = Problem.TEXT_CHANGED
    if address is None or form.problems:
        return None
    proof = Proof(Method.WEB, _EVIDENCE, visit.now)
    return Request(address, profile, text, proof, text_language=visit.language)


async def _form(
    visit: Visit, project: Project | None, *, values: dict[str, Any], problems: dict[str, Problem]
) -> Response:
    text = consent_text(visit, project)
    return await visit.page(
        "web/subscribe.html",
        status=422 if problems else 200,
        values=values,
        problems=problems,
        consent_text=text,
        agreed_text=_digest(text),
        honeypot=HONEYPOT,
        **profiles.choices(visit),
    )


async def _sent(visit: Visit, email: str) -> Response:
    return await visit.page("web/subscribe-sent.html", email=email, private=True)


async def _gone(visit: Visit, *, used: bool) -> Response:
    return await visit.page(
        "web/confirm-gone.html", status=410 if used else 404, private=True, here="/subscribe", used=used
    )


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
