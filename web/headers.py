"""The headers that keep every answer of ours from being framed, sniffed, scripted or traced."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_YEAR = 365 * 24 * 3600


def secured(headers: MutableHeaders, *, https: bool) -> None:
    """Add the security headers; the promise of HTTPS only where the public address has it."""
    headers["Content-Security-Policy"] = _POLICY
    headers["Referrer-Policy"] = "no-referrer"  # an address of ours may carry a secret
    headers["X-Content-Type-Options"] = "nosniff"
    if https:
        headers["Strict-Transport-Security"] = f"max-age={_YEAR}"


class SecureHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """Remember whether visitors come over HTTPS."""
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a `send` that adds the headers."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secured(MutableHeaders(scope=message), https=self._https)
            await send(message)

        await self._app(scope, receive, send_secured)
