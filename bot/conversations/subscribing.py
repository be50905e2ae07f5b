"""Subscribing in the chat: step by step, to the exact consent text and "I agree"."""

from dataclasses import replace

from bot import forms
from bot.conversations import form_answers, form_screens
from bot.forms import Form, Step
from bot.turns import Turn
from domain import projects, subscribers, subscriptions
from domain.addresses import address_of
from domain.consents import Method, Proof
from domain.projects import Project
from domain.subscribers import Channel, Profile


async def begin(turn: Turn) -> None:
    """Answer /subscribe."""
    form = forms.begin(turn.chat, turn.now)
    await form_screens.show(turn, form, await projects.find(turn.session))


async def cancel(turn: Turn) -> None:
    """Answer /cancel."""
    was_filling_in = forms.load(turn.chat, turn.now) is not None
    if turn.is_button and not was_filling_in:
        turn.hint(turn.labels["form_is_over"])
        return
    forms.save(turn.chat, None)
    turn.show(turn.words("cancelled.html", was_filling_in=was_filling_in))


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Take an answer given by button; a button of a form that is over says so."""
    form = forms.load(turn.chat, turn.now)
    what, value = arguments[0] if arguments else "", ":".join(arguments[1:])
    if form is None or what not in ("back", form.step):
        turn.hint(turn.labels["form_is_over"])
        return
    project = await projects.find(turn.session)
    if what == "back":
        await _go(turn, form, project, -1)
    elif form.step is Step.CONSENT:
        await _agree(turn, form, value)
    else:
        moves_on = form_answers.press(form, value, topics=list(project.topics) if project else [])
        await _go(turn, form, project, 1 if moves_on else 0)


async def typed(turn: Turn) -> bool:
    """Take a typed answer where the form waits for one; False when the text is something else."""
    form = forms.load(turn.chat, turn.now)
    if form is None:
        return False
    taken = form_answers.read(form, turn.incoming.text, turn.language)
    if taken is form_answers.Taken.NOT_MINE:
        return False
    project = await projects.find(turn.session)
    if taken is form_answers.Taken.MISREAD:
        await form_screens.show(turn, form, project, misread=True)
    else:
        await _go(turn, form, project, 1 if taken is form_answers.Taken.YES else 0)
    return True


async def _go(turn: Turn, form: Form, project: Project | None, direction: int) -> None:
    """Move to the next step or back, and ask."""
    steps = form.steps(has_topics=bool(project and project.topics))
    place = steps.index(form.step) + direction
    form.step = steps[min(max(place, 0), len(steps) - 1)]
    if form.step is Step.CONSENT:
        form_screens.word_consents(turn, form, project)
    forms.save(turn.chat, form)
    await form_screens.show(turn, form, project)


async def _agree(turn: Turn, form: Form, mark: str) -> None:
    """Subscribe under the words that were shown; known and unknown addresses get the same answer."""
    if mark != form.consents_mark:
        turn.hint(turn.labels["form_is_over"])
        return
    forms.save(turn.chat, None)
    proof = Proof(Method.CHAT, f"telegram update {turn.incoming.update_id}", turn.now)
    profile = await _profile(turn, form)
    if Channel.TELEGRAM in form.channels:
        words = form.consents[Channel.TELEGRAM]
        await subscriptions.join_by_chat(turn.session, turn.chat.id, profile, words, proof)
    if Channel.EMAIL in form.channels:
        asked = subscriptions.Request(
            address=address_of(form.email),
            profile=profile,
            consent_text=form.consents[Channel.EMAIL],
            proof=proof,
            chat_id=turn.chat.id,
        )
        await subscriptions.request(turn.session, asked, turn.service.keyring)
    form_screens.show_agreed(turn, form, await projects.find(turn.session))
    turn.say(turn.words("subscribed.html", channels=form.channels, email=form.email))


async def _profile(turn: Turn, form: Form) -> Profile:
    """Return what the person said over what this chat's subscriber said before."""
    known = await subscribers.find_by_chat(turn.session, turn.chat.id)
    before = await subscribers.profile_of(turn.session, known) if known else Profile(language=turn.language)
    return replace(
        before,
        language=form.consents_language or turn.language,
        target_group=form.target,
        helix_group=form.target.helix_group if form.target else form.helix,
        country=form.country,
        topics=form.topics,
    )
