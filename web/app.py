"""The web role's application: its settings, its routes, and what stands around each of them."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from domain.database import Database
from domain.sites import WEBHOOK_PATH, ServiceSettings
from domain.times import Clock
from web import (
    archive,
    colours,
    events,
    health,
    hooks,
    pages,
    preferences,
    refusals,
    subscribing,
    unsubscribing,
)
from web.accesses import AccessLog
from web.headers import SecureHeaders
from web.limits import BodyLimits
from web.visits import Site
from wording.texts import Texts

_STATIC = Path(__file__).parent / "static"


def create_app(  # the parts that the composition root has built
    database: Database,
    texts: Texts,
    service: ServiceSettings,
    telegram_enabled: bool,
    clock: Clock,
    *,
    bot_url: str = "",
) -> FastAPI:
    """Return the application; Telegram's hook is there only when `telegram_enabled`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.site = Site(database, texts, service, clock, bot_url)
    for room in (pages, subscribing, preferences, unsubscribing, archive, events, health, colours):
        app.include_router(room.router)
    app.include_router(events.calendars)
    if telegram_enabled:
        app.include_router(hooks.router)
    app.mount("/static", StaticFiles(directory=_STATIC))
    refusals.install(app)
    # The last one added stands outermost.
    app.add_middleware(BodyLimits, by_path={WEBHOOK_PATH: hooks.LONGEST_UPDATE})
    app.add_middleware(SecureHeaders, https=service.base_url.startswith("https:"))
    app.add_middleware(AccessLog)
    return app
