"""What each step of the subscription form shows: a question and its buttons."""

from collections.abc import Awaitable, Callable

from bot.conversations.form_answers import NOTHING
from bot.forms import Form, Step
from bot.replies import Button, Rows, in_rows
from bot.turns import Turn
from domain import projects, subscribers
from domain.events import text_in
from domain.helixes import HelixGroup, TargetGroup
from domain.projects import Project
from domain.subscribers import Channel
from wording import formats


async def show(turn: Turn, form: Form, project: Project | None, *, misread: bool = False) -> None:
    """Ask what the present step asks; `misread` says that the last answer was not understood."""
    await _SCREENS[form.step](turn, form, project, misread)


def word_consents(turn: Turn, form: Form, project: Project | None) -> None:
    """Put the exact words into the form: they are shown, agreed to, and kept."""
    operator = turn.service.operator
    form.consents_language = turn.language
    form.consents = {
        channel: turn.means.texts.render(
            f"consent/{channel.value}.txt",
            turn.language,
            project=project.name if project else turn.service.name,
            operator=operator,
        )
        for channel in form.channels
    }


async def _channel(turn: Turn, _form: Form, _project: Project | None, _misread: bool) -> None:
    known = await subscribers.find_by_chat(turn.session, turn.chat.id)
    is_known = known is not None and known.consented_at(Channel.TELEGRAM) is not None
    rows = (
        (
            _choice(turn, "by_email", Step.CHANNEL, "email"),
            _choice(turn, "by_chat", Step.CHANNEL, "telegram"),
        ),
        (_choice(turn, "by_both", Step.CHANNEL, "both"),),
        _way_out(turn, first=True),
    )
    turn.show(turn.words("form-channel.html", is_known=is_known), rows)


async def _email(turn: Turn, form: Form, _project: Project | None, misread: bool) -> None:
    rows: Rows = (_way_out(turn),)
    if form.guess:
        meant = Button(text=form.guess, data=f"sub:{Step.EMAIL}:guess")
        rows = ((meant,), (Button(text=form.email, data=f"sub:{Step.EMAIL}:typed"),), *rows)
    elif form.email:
        rows = ((Button(text=form.email, data=f"sub:{Step.EMAIL}:typed"),), *rows)
    turn.show(turn.words("form-email.html", misread=misread, guess=form.guess, email=form.email), rows)


async def _helix(turn: Turn, _form: Form, _project: Project | None, _misread: bool) -> None:
    groups = [_choice(turn, group.value, Step.HELIX, group.value) for group in HelixGroup]
    rest = [
        _choice(turn, "other", Step.HELIX, TargetGroup.OTHER.value),
        _choice(turn, "prefer_not_to_say", Step.HELIX, NOTHING),
    ]
    turn.show(turn.words("form-helix.html"), (*in_rows([*groups, *rest], width=1), _way_out(turn)))


async def _target(turn: Turn, form: Form, _project: Project | None, _misread: bool) -> None:
    groups = [group for group in TargetGroup if group.helix_group is form.helix]
    buttons = [_choice(turn, group.value, Step.TARGET, group.value) for group in groups]
    buttons.append(_choice(turn, "prefer_not_to_say", Step.TARGET, NOTHING))
    turn.show(turn.words("form-target.html"), (*in_rows(buttons, width=1), _way_out(turn)))


async def _country(turn: Turn, _form: Form, _project: Project | None, misread: bool) -> None:
    codes = sorted({partner.country for partner in await projects.partners(turn.session)})
    buttons = [
        Button(text=formats.country(code, turn.language), data=f"sub:{Step.COUNTRY}:{code}") for code in codes
    ]
    rest = (_choice(turn, "prefer_not_to_say", Step.COUNTRY, NOTHING),)
    html = turn.words("form-country.html", misread=misread)
    turn.show(html, (*in_rows(buttons, width=2), rest, _way_out(turn)))


async def _topics(turn: Turn, form: Form, project: Project | None, _misread: bool) -> None:
    labels = project.topics if project else {}
    buttons = [
        Button(
            text=("☑ " if topic in form.topics else "☐ ") + text_in(label, turn.language),
            data=f"sub:{Step.TOPICS}:{place}",
        )
        for place, (topic, label) in enumerate(labels.items())
    ]
    done = _choice(turn, "topics_done" if form.topics else "topics_all", Step.TOPICS, "done")
    turn.show(turn.words("form-topics.html"), (*in_rows(buttons, width=1), (done,), _way_out(turn)))


async def _consent(turn: Turn, form: Form, project: Project | None, _misread: bool) -> None:
    agree = _choice(turn, "agree", Step.CONSENT, form.consents_mark)
    turn.show(_consent_words(turn, form, project), ((agree,), _way_out(turn)))


def show_agreed(turn: Turn, form: Form, project: Project | None) -> None:
    """Leave the words agreed to in the chat, without the buttons."""
    turn.show(_consent_words(turn, form, project))


def _consent_words(turn: Turn, form: Form, project: Project | None) -> str:
    labels = project.topics if project else {}
    group = form.target or form.helix
    return turn.words(
        "form-consent.html",
        email=form.email,
        channels=form.channels,
        group=turn.labels[group.value] if group else "",
        country=form.country,
        topics=[text_in(labels[topic], turn.language) for topic in form.topics if topic in labels],
        consents=list(form.consents.values()),
        privacy=turn.page("/privacy"),
    )


def _choice(turn: Turn, label: str, step: Step, value: str) -> Button:
    return turn.button(label, f"sub:{step}:{value}")


def _way_out(turn: Turn, *, first: bool = False) -> tuple[Button, ...]:
    cancel = turn.button("cancel", "go:cancel")
    return (cancel,) if first else (turn.button("back", "sub:back"), cancel)


_Screen = Callable[[Turn, Form, Project | None, bool], Awaitable[None]]
_SCREENS: dict[Step, _Screen] = {
    Step.CHANNEL: _channel,
    Step.EMAIL: _email,
    Step.HELIX: _helix,
    Step.TARGET: _target,
    Step.COUNTRY: _country,
    Step.TOPICS: _topics,
    Step.CONSENT: _consent,
}
