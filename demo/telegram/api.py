"""The Bot API over HTTP: /bot<token>/<method>."""

import inspect
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from demo.telegram.cloud import Telegram
from demo.telegram.errors import RefusedError, not_found, unauthorized
from demo.telegram.methods import METHODS
from demo.telegram.parameters import Parameters, read_parameters


def bot_api(telegram: Telegram) -> APIRouter:
    """Return the routes a bot talks to."""
    router = APIRouter()

    @router.api_route("/bot{token}/{method}", methods=["GET", "POST"], include_in_schema=False)
    async def call(token: str, method: str, request: Request) -> Response:
        try:
            if token != telegram.token:
                raise unauthorized()
            return await _answer(telegram, method.lower(), request)
        except RefusedError as refusal:
            return JSONResponse(refusal.answer(), status_code=refusal.status)

    return router


async def _answer(telegram: Telegram, method: str, request: Request) -> Response:
    if method not in METHODS:
        raise not_found()
    parameters = await read_parameters(request)
    fault = telegram.faults.take(method)
    if fault is None:
        return JSONResponse({"ok": True, "result": await _perform(telegram, method, parameters)})
    if fault.refusal:
        raise fault.refusal
    if fault.performed:
        await _perform(telegram, method, parameters)
    return _LostAnswer()


async def _perform(telegram: Telegram, method: str, parameters: Parameters) -> Any:
    result = METHODS[method](telegram, parameters)
    return await result if inspect.isawaitable(result) else result


class _LostAnswer(Response):
    """Closes the connection before the answer is complete."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
