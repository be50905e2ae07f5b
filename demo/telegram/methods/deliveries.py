"""How the bot receives updates: polling and webhook."""

from typing import Any

from demo.telegram.cloud import Telegram
from demo.telegram.errors import conflict
from demo.telegram.parameters import Parameters
from demo.telegram.updates import PAGE
from demo.telegram.webhooks import Webhook, check_webhook


async def get_updates(telegram: Telegram, parameters: Parameters) -> list[dict[str, Any]]:
    if telegram.courier.webhook:
        raise conflict(
            "can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first"
        )
    telegram.updates.allow(parameters.listed("allowed_updates"))
    return await telegram.updates.poll(
        parameters.integer("offset"),
        parameters.integer("limit", PAGE),
        parameters.integer("timeout"),
    )


async def set_webhook(telegram: Telegram, parameters: Parameters) -> bool:
    url = parameters.text("url")
    if not url:
        return delete_webhook(telegram, parameters)
    secret_token = parameters.text("secret_token")
    check_webhook(url, secret_token)
    telegram.updates.allow(parameters.listed("allowed_updates"))
    _drop_pending(telegram, parameters)
    telegram.updates.interrupt("terminated by setWebhook request")
    webhook = Webhook(url, secret_token, parameters.integer("max_connections", 40))
    telegram.courier.start(webhook)
    return True


def delete_webhook(telegram: Telegram, parameters: Parameters) -> bool:
    telegram.courier.stop()
    _drop_pending(telegram, parameters)
    return True


def get_webhook_info(telegram: Telegram, _: Parameters) -> dict[str, Any]:
    return telegram.courier.describe()


def _drop_pending(telegram: Telegram, parameters: Parameters) -> None:
    if parameters.flag("drop_pending_updates"):
        telegram.updates.forget_all()


METHODS = {
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}
