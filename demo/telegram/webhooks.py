"""Updates pushed to the bot: setWebhook, its secret and its retries."""

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from demo.telegram.bells import Bell
from demo.telegram.errors import bad_request
from demo.telegram.updates import Update, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
ANSWER_SECONDS = 30.0


@dataclass
class Webhook:
    """Where updates go, and how the last attempt ended."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


def check_webhook(url: str, secret_token: str) -> None:
    """Refuse an address or a secret that Telegram would refuse."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_own_machine(parts.hostname or "")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if secret_token and not SECRET.fullmatch(secret_token):
        raise bad_request("secret token contains unallowed characters")


def _is_own_machine(host: str) -> bool:
    # the demo has no certificate; like a local Bot API server, http is fine on this machine
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class Courier:
    """Delivers updates one after another; a refused one is tried again, waiting longer each time."""

    def __init__(self, updates: Updates, bell: Bell, clock: Callable[[], float]) -> None:
        self.webhook: Webhook | None = None
        self.first_retry = 0.2
        self.last_retry = 10.0
        self._updates = updates
        self._bell = bell
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self, webhook: Webhook) -> None:
        """Deliver to this webhook from now on; needs a running event loop."""
        self.stop()
        self.webhook = webhook
        self._task = asyncio.get_running_loop().create_task(self._deliver_all(webhook))

    def stop(self) -> None:
        """Stop delivering; safe from any thread."""
        self.webhook = None
        task, self._task = self._task, None
        if task and not task.done():
            with contextlib.suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    def describe(self) -> dict[str, Any]:
        """Return what getWebhookInfo tells."""
        webhook = self.webhook or Webhook("")
        found: dict[str, Any] = {
            "url": webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if webhook.url:
            found["max_connections"] = webhook.max_connections
        if webhook.last_error_message:
            found["last_error_date"] = webhook.last_error_date
            found["last_error_message"] = webhook.last_error_message
        if self._updates.allowed:
            found["allowed_updates"] = self._updates.allowed
        return found

    async def _deliver_all(self, webhook: Webhook) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as client:
            while True:
                with contextlib.suppress(TimeoutError):
                    await self._bell.until(lambda: self._updates.pending, timeout=ANSWER_SECONDS)
                for update in list(self._updates.pending):
                    await self._deliver(client, webhook, update)

    async def _deliver(self, client: httpx.AsyncClient, webhook: Webhook, update: Update) -> None:
        pause = self.first_retry
        while trouble := await _post(client, webhook, update):
            webhook.last_error_date = int(self._clock())
            webhook.last_error_message = trouble
            self._bell.ring()
            await asyncio.sleep(pause)
            pause = min(pause * 2, self.last_retry)
        self._updates.discard(update["update_id"])
        self._bell.ring()


async def _post(client: httpx.AsyncClient, webhook: Webhook, update: Update) -> str:
    """Post one update; return what went wrong, or "" when the bot took it."""
    headers = {SECRET_HEADER: webhook.secret_token} if webhook.secret_token else {}
    try:
        response = await client.post(webhook.url, json=update, headers=headers)
    except httpx.HTTPError as error:
        return str(error) or "Connection refused"
    if response.is_success:
        return ""
    return f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
