"""The landing page and the piece of it that follows the campaign."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.landing.snapshots import clock_text
from demo.landing.tours import Tour

HERE = Path(__file__).parent
PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

Clock = Callable[[], datetime]


def current_time() -> datetime:
    return datetime.now(UTC)


def create_app(tour: Tour, *, now: Clock = current_time) -> FastAPI:
    """Build the page for one tour; it may be mounted anywhere."""
    app = FastAPI(title="Helixpost demo", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.tour = tour
    app.state.now = now
    app.state.templates = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    app.include_router(router)
    app.mount("/landing", StaticFiles(directory=HERE / "assets"), name="assets")
    app.middleware("http")(_guard)
    return app


router = APIRouter(default_response_class=HTMLResponse)


@router.get("/", name="tour")
async def show_tour(request: Request, live: str = "") -> Response:
    return await _render(request, "tour.html", live=live != "off")


@router.get("/progress", name="progress")
async def show_progress(request: Request, live: str = "") -> Response:
    """Answer with the fragment of the page that the script swaps in."""
    return await _render(request, "progress.html", live=live != "off")


async def _render(request: Request, page: str, **values: Any) -> Response:
    root, app = request.scope.get("root_path", ""), request.app

    def path_to(name: str, **params: Any) -> str:
        return f"{root}{app.url_path_for(name, **params)}"

    snapshot = await app.state.tour.snapshot()
    left = snapshot.seconds_left(app.state.now()) if snapshot else 0
    values |= {"tour": app.state.tour, "snapshot": snapshot, "left": left, "path_to": path_to}
    template = app.state.templates.get_template(page)
    return HTMLResponse(template.render(values, clock=clock_text))


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.url.path.endswith("/progress"):
        response.headers["Cache-Control"] = "no-store"
    return response
