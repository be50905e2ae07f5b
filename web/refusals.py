"""Pages for what went wrong: nothing there, not allowed, too large, out of order."""

import socket

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from web.headers import secured
from web.visits import Visit

log = structlog.get_logger()

RETRY_SECONDS = 30
_AWAY = (DBAPIError, ConnectionError, TimeoutError, socket.gaierror)
"""What the drivers say while a database is away, refuses connections or cannot write."""
_DEFECTS = (DataError, IntegrityError, ProgrammingError)
"""What they say when the database is well and we are wrong."""


def install(app: FastAPI) -> None:
    """Let the application answer errors with pages in the visitor's language."""
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _find_nothing)
    for error in _AWAY:
        app.add_exception_handler(error, _be_unavailable)
    app.add_exception_handler(Exception, _fail)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = await Visit(request).page(
        "web/refusal.html", status=error.status_code, here="/", code=error.status_code, private=True
    )
    response.headers.update(error.headers or {})
    return response


async def _find_nothing(request: Request, _error: Exception) -> Response:
    """Answer an address whose number cannot be one."""
    return await _refuse(request, HTTPException(404))


async def _be_unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, _DEFECTS):
        raise error
    log.error("database_unavailable", exc_info=error)
    response = _bare(request, 503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


async def _fail(request: Request, _error: Exception) -> Response:
    """Answer for a defect; the server logs it, and this runs outside of our middleware."""
    response = _bare(request, 500)
    secured(response.headers, https=Visit(request).service.base_url.startswith("https:"))
    return response


def _bare(request: Request, status: int) -> HTMLResponse:
    """Return a page that needs nothing from the database."""
    visit = Visit(request)
    html = visit.render("web/refusal.html", project=None, private=True, here="/", code=status)
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
