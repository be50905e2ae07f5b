"""The chat page: the Telegram app of a simulated person."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from demo.telegram.chats import Chat
from demo.telegram.cloud import Telegram
from demo.telegram.people import LANGUAGES
from demo.telegram.personas import Personas, preferred_language
from demo.telegram.views import ChatView

FOLDER = Path(__file__).parent / "templates"
ASSETS = {"chat.css": "text/css", "chat.js": "text/javascript"}
COOKIE = "demo_person"
LIVE_SECONDS = 20.0
NO_SCRIPT_SECONDS = 2.0
DEEP_LINK_LENGTH = 64
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

Field = Annotated[str, Form()]


def chat_page(telegram: Telegram) -> APIRouter:
    """Return the routes a visitor's browser talks to."""
    router = APIRouter(prefix="/chat", include_in_schema=False)
    _Looks(telegram).join(router)
    _Deeds(telegram).join(router)
    return router


def _chat_of(telegram: Telegram, request: Request) -> Chat | None:
    number = request.cookies.get(COOKIE, "")
    return telegram.chats.get(int(number)) if number.isdecimal() else None


class _Looks:
    """What can be looked at: the page, its changes, files."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self.personas = Personas(telegram)
        self.view = ChatView(telegram, FOLDER)

    def join(self, router: APIRouter) -> None:
        router.add_api_route("", self.show)
        router.add_api_route("/live", self.live)
        router.add_api_route("/files/{file_id}", self.download)
        router.add_api_route("/{name}", self.asset)

    def show(self, request: Request, start: str = "") -> Response:
        chat = _chat_of(self.telegram, request)
        if chat is None:
            language = preferred_language(request.headers.get("accept-language", ""))
            chat = self.telegram.chats[self.personas.invent(language).id]
        page = self.view.page(chat, start[:DEEP_LINK_LENGTH])
        response = HTMLResponse(page, headers=HEADERS)
        response.set_cookie(COOKIE, str(chat.id), httponly=True, samesite="lax")
        return response

    async def live(self, request: Request, revision: int = 0, start: str = "") -> Response:
        chat = _chat_of(self.telegram, request)
        if chat is None:
            return Response(status_code=404)

        def changed() -> bool:
            return chat.revision != revision or self.telegram.updates.closed

        with contextlib.suppress(TimeoutError):
            await self.telegram.wait_until(changed, timeout=LIVE_SECONDS)
        return JSONResponse(self.view.changes(chat, start[:DEEP_LINK_LENGTH]), headers=HEADERS)

    def download(self, file_id: str) -> Response:
        document = self.telegram.documents.get(file_id)
        if document is None:
            return Response(status_code=404)
        # as an attachment: a file of the bot must never run as a page of ours
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name, safe='')}"}
        return Response(document.content, media_type=document.mime_type, headers=HEADERS | headers)

    def asset(self, name: str) -> Response:
        if name not in ASSETS:
            return Response(status_code=404)
        return FileResponse(FOLDER / name, media_type=ASSETS[name], headers={"Cache-Control": "no-cache"})


class _Deeds:
    """What a person can do. Forms work without scripts; scripts send the same forms."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self.personas = Personas(telegram)

    def join(self, router: APIRouter) -> None:
        for path, deed in (
            ("/text", self.say),
            ("/start", self.start),
            ("/press", self.press),
            ("/language", self.speak),
            ("/person", self.become),
            ("/block", self.block),
        ):
            router.add_api_route(path, deed, methods=["POST"])

    async def say(self, request: Request, text: Field = "", command: Field = "") -> Response:
        chat = _chat_of(self.telegram, request)
        with contextlib.suppress(ValueError):
            if chat:
                await self.telegram.send_text(chat.id, command or text)
        return await self._back(request, chat)

    async def start(self, request: Request, payload: Field = "") -> Response:
        chat = _chat_of(self.telegram, request)
        if chat:
            self.telegram.unblock(chat.id)
            await self.telegram.start(chat.id, payload[:DEEP_LINK_LENGTH])
        return await self._back(request, chat)

    async def press(self, request: Request, message_id: Annotated[int, Form()], data: Field) -> Response:
        chat = _chat_of(self.telegram, request)
        # the bot may have changed the buttons a moment ago
        with contextlib.suppress(LookupError):
            if chat:
                self.telegram.press(chat.id, message_id, data)
        return await self._back(request, chat)

    async def speak(self, request: Request, language: Field) -> Response:
        chat = _chat_of(self.telegram, request)
        if chat and language in LANGUAGES:
            self.telegram.set_language(chat.id, language)
        return _redirect()

    async def become(self, request: Request) -> Response:
        chat = _chat_of(self.telegram, request)
        person = self.personas.invent(chat.person.language_code if chat else "en")
        response = _redirect()
        response.set_cookie(COOKIE, str(person.id), httponly=True, samesite="lax")
        return response

    async def block(self, request: Request, blocked: Annotated[bool, Form()]) -> Response:
        chat = _chat_of(self.telegram, request)
        if chat and blocked:
            self.telegram.block(chat.id)
        elif chat:
            self.telegram.unblock(chat.id)
        return _redirect()

    async def _back(self, request: Request, chat: Chat | None) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return Response(status_code=204)
        if chat:
            await self._give_the_bot_a_moment(chat)
        return _redirect()

    async def _give_the_bot_a_moment(self, chat: Chat) -> None:
        """Wait for a reaction, since a page without scripts shows only what is there already."""
        before = chat.revision
        with contextlib.suppress(TimeoutError):
            await self.telegram.wait_until(lambda: chat.revision != before, timeout=NO_SCRIPT_SECONDS)
            # an answer to a button is often followed by an edit
            await asyncio.sleep(0.1)


def _redirect() -> Response:
    # relative, so that the page works below any prefix
    return Response(status_code=303, headers={"Location": "../chat"})
