"""The inbox page: every letter the relay kept, as its reader's mail program would show it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.mail.bodies import BODY_POLICY, Scheme, has_dark_colours, prepare_body
from demo.mail.letters import Letter
from demo.mail.listing import Filter, languages_of, list_letters
from demo.mail.relay import Relay
from demo.mail.unsubscribe import unsubscribe_one_click

HERE = Path(__file__).parent
SHOWN_HEADERS = ("From", "To", "Reply-To", "Date", "List-Id", "Message-ID")
NEWEST = 200
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

Tab = Literal["letter", "text", "source", "headers"]
Width = Literal["desktop", "phone"]


def create_app(relay: Relay, *, home_url: str | None = None) -> FastAPI:
    """Build the inbox over a relay; it may be mounted anywhere. `home_url` adds a link back to the demo."""
    app = FastAPI(title="Demo inbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.relay = relay
    app.state.home_url = home_url
    app.state.templates = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    app.include_router(router)
    app.mount("/assets", StaticFiles(directory=HERE / "assets"), name="assets")
    app.middleware("http")(_guard)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _show_missing)
    return app


router = APIRouter(default_response_class=HTMLResponse)


@router.get("/", name="letters")
async def show_letters(request: Request, wanted: Annotated[Filter, Query()]) -> Response:
    relay = _relay(request)
    listing = list_letters(relay.letters, wanted)
    return _render(
        request,
        "letters.html",
        filter=wanted.model_copy(update={"page": listing.page}),
        listing=listing,
        languages=languages_of(relay.letters),
        received=relay.received,
        kept=len(relay.letters),
    )


@router.get("/api/letters", name="api")
async def list_as_json(
    request: Request,
    to: str = "",
    limit: Annotated[int, Query(ge=0, le=2000)] = NEWEST,
) -> Response:
    """Answer with the newest letters first: `{"received", "letters": […]}`."""
    relay = _relay(request)
    letters = relay.letters_to(to) if to else relay.letters
    newest = letters[::-1][:limit]
    return JSONResponse({"received": relay.received, "letters": [_as_json(request, one) for one in newest]})


@router.get("/{letter_id:int}", name="letter")
async def show_letter(
    request: Request,
    letter_id: int,
    tab: Tab = "letter",
    width: Width = "desktop",
    scheme: Scheme = "light",
) -> Response:
    letter = _letter(request, letter_id)
    return _render_letter(request, letter, tab=tab, width=width, scheme=scheme)


@router.get("/{letter_id:int}/body.html", name="body")
async def show_body(request: Request, letter_id: int, scheme: Scheme = "light") -> Response:
    letter = _letter(request, letter_id)
    body = prepare_body(letter.html, scheme)
    return HTMLResponse(body, headers={"Content-Security-Policy": BODY_POLICY})


@router.get("/{letter_id:int}/source.eml", name="source")
async def download_source(request: Request, letter_id: int) -> Response:
    letter = _letter(request, letter_id)
    return _download(letter.raw, "message/rfc822", f"letter-{letter.id}.eml")


@router.get("/{letter_id:int}/attachments/{number:int}", name="attachment")
async def download_attachment(request: Request, letter_id: int, number: int) -> Response:
    attachments = _letter(request, letter_id).attachments
    if not 1 <= number <= len(attachments):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _download(attachments[number - 1].content, "application/octet-stream", f"attachment-{number}")


@router.post("/{letter_id:int}/unsubscribe", name="unsubscribe")
async def unsubscribe(request: Request, letter_id: int) -> Response:
    letter = _letter(request, letter_id)
    if letter.one_click_url is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    answer = await unsubscribe_one_click(letter.one_click_url)
    return _render_letter(request, letter, tab="letter", width="desktop", scheme="light", answer=answer)


def link(request: Request, name: str, **params: Any) -> str:
    """Return the path of a route below wherever the inbox is mounted."""
    root = request.scope.get("root_path", "")
    return f"{root}{request.app.url_path_for(name, **params)}"


def _relay(request: Request) -> Relay:
    relay: Relay = request.app.state.relay
    return relay


def _letter(request: Request, letter_id: int) -> Letter:
    letter = _relay(request).letter(letter_id)
    if letter is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return letter


def _render(request: Request, page: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    def path_to(name: str, **params: Any) -> str:
        return link(request, name, **params)

    template = request.app.state.templates.get_template(page)
    values |= {"path_to": path_to, "home_url": request.app.state.home_url}
    return HTMLResponse(template.render(values), status_code=status)


def _render_letter(request: Request, letter: Letter, *, answer: Any = None, **view: str) -> HTMLResponse:
    html = letter.html
    return _render(
        request,
        "letter.html",
        letter=letter,
        view=view,
        html=html,
        has_dark_colours=has_dark_colours(html),
        summary=[(name, letter.header(name)) for name in SHOWN_HEADERS if letter.header(name)],
        answer=answer,
    )


def _as_json(request: Request, letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "from": letter.envelope_from,
        "to": list(letter.envelope_to),
        "subject": letter.subject,
        "language": letter.language,
        "message_id": letter.header("Message-ID"),
        "received_at": letter.received_at.isoformat().replace("+00:00", "Z"),
        "size": len(letter.raw),
        "url": link(request, "letter", letter_id=letter.id),
    }


def _download(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


async def _show_missing(request: Request, _error: Exception) -> Response:
    return _render(request, "missing.html", status=HTTPStatus.NOT_FOUND)
