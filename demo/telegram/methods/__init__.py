"""The Bot API's methods by name: https://core.telegram.org/bots/api#available-methods."""

from collections.abc import Awaitable, Callable
from typing import Any

from demo.telegram.cloud import Telegram
from demo.telegram.methods import deliveries, edits, profiles, sends
from demo.telegram.parameters import Parameters

Method = Callable[[Telegram, Parameters], Awaitable[Any] | Any]

# method names are case-insensitive
METHODS: dict[str, Method] = {
    name.lower(): method
    for name, method in (
        *deliveries.METHODS.items(),
        *edits.METHODS.items(),
        *profiles.METHODS.items(),
        *sends.METHODS.items(),
    )
}
