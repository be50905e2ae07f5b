"""Events: what comes, what was, and each with its source and its calendar file."""

from bot.conversations.lists import Page, number_in, page_of
from bot.replies import Button, Rows
from bot.turns import Turn
from domain import events
from domain.events import Event, text_in
from wording.calendars import calendar_of

_LONGEST_BUTTON = 48
_UPCOMING, _PAST = "next", "past"


async def show(turn: Turn) -> None:
    """Answer /events with what comes."""
    await _show_list(turn, _UPCOMING, 0)


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Turn pages, show one event, hand over its calendar file."""
    what, *rest = arguments or [""]
    if what in (_UPCOMING, _PAST):
        await _show_list(turn, what, number_in(rest))
        return
    event = await turn.session.get(Event, number_in(rest))
    if event is None or event.retired_at is not None:
        turn.hint(turn.labels["gone"])
        await show(turn)
    elif what == "file" and event.starts_on:
        file = calendar_of([event], turn.service, turn.language, turn.now).decode()
        turn.hand_over(f"{event.key}.ics", file, turn.words("event-file.html", title=_title(turn, event)))
    else:
        _show_one(turn, event, came_from=rest[1:])


async def _show_list(turn: Turn, kind: str, number: int) -> None:
    today = turn.now.astimezone(turn.service.zone).date()
    coming, past = await events.upcoming(turn.session, today), await events.past(turn.session, today)
    page = page_of(coming if kind == _UPCOMING else past, number)
    html = turn.words(
        "events.html", kind=kind, page=page, titles=[_title(turn, event) for event in page.entries]
    )
    other = (_PAST, len(past), "past_events") if kind == _UPCOMING else (_UPCOMING, 1, "coming_events")
    turn.show(html, (*_entries(turn, page, kind), *page.turners(turn, f"ev:{kind}"), *_other(turn, *other)))


def _entries(turn: Turn, page: Page[Event], kind: str) -> Rows:
    return tuple(
        (Button(text=_short(_title(turn, event)), data=f"ev:one:{event.id}:{kind}:{page.number}"),)
        for event in page.entries
    )


def _other(turn: Turn, kind: str, count: int, label: str) -> Rows:
    return ((turn.button(label, f"ev:{kind}:0"),),) if count else ()


def _show_one(turn: Turn, event: Event, *, came_from: list[str]) -> None:
    html = turn.words("event.html", event=event, page=turn.page(f"/events/{event.key}"))
    kind = came_from[0] if came_from and came_from[0] == _PAST else _UPCOMING
    back = turn.button("back", f"ev:{kind}:{number_in(came_from, 1)}")
    file = (turn.button("calendar_file", f"ev:file:{event.id}"),) if event.starts_on else ()
    turn.show(html, ((*file, back),))


def _title(turn: Turn, event: Event) -> str:
    return text_in(event.title, turn.language)


def _short(title: str) -> str:
    return title if len(title) <= _LONGEST_BUTTON else f"{title[: _LONGEST_BUTTON - 1].rstrip()}…"
