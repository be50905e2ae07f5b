"""Limits on what a visitor may send: how much, counted while it streams, and how slowly."""

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES = 64 * 1024
"""More than any form of ours can fill."""
BODY_SECONDS = 15.0
"""From the first wish for a body to its end."""


class BodyLimits:
    """Refuses a body that is too large (413) or too slow (408), before it is held in memory."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        by_path: Mapping[str, int],
        otherwise: int = FORM_BYTES,
        seconds: float = BODY_SECONDS,
    ) -> None:
        """Allow `by_path` bytes at those paths and `otherwise` bytes elsewhere."""
        self._app = app
        self._by_path = by_path
        self._otherwise = otherwise
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a `receive` that counts."""
        if scope["type"] == "http":
            limit = self._by_path.get(scope["path"], self._otherwise)
            receive = _Counted(receive, limit, self._seconds)
        await self._app(scope, receive, send)


class _Counted:
    """A `receive` that knows how much has come and since when."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._left = limit
        self._seconds = seconds
        self._deadline: float | None = None
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:  # from here on it only tells that the visitor has gone
            return await self._receive()
        message = await self._in_time()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        self._complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise HTTPException(408) from None
