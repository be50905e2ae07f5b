"""The access log: which route answered what, how fast. Paths carry secrets and are never written."""

from time import monotonic

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()


class AccessLog:
    """Writes one line per request, with the route's template in place of the path."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on and note the status on its way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, monotonic()  # an answer that never starts is a failure

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            took = round((monotonic() - began) * 1000)
            log.info("request_answered", method=scope["method"], route=_route(scope), status=status, ms=took)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")
