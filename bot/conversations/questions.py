"""Free text is a question: answered with its source, or honestly not, and then the team can be asked."""

from bot import markup
from bot.conversations.lists import number_in
from bot.replies import Button, Rows
from bot.turns import Turn
from domain import items, notices, operators, questions
from domain.items import Item
from domain.languages import FALLBACK
from domain.questions import Question
from knowledge.answers import Answer, Outcome

_LONGEST_BUTTON = 60


async def ask(turn: Turn) -> None:
    """Answer a question, and keep it with what became of it."""
    answer = await turn.means.answers.answer(
        turn.session, turn.incoming.text, language=turn.language, now=turn.now
    )
    asked = await questions.record(
        turn.session,
        chat_id=turn.chat.id,
        language=turn.language,
        text=turn.incoming.text,
        outcome=answer.outcome.value,
        item_key=answer.item,
        now=turn.now,
    )
    await _show(turn, answer, asked)


async def choose(turn: Turn, arguments: list[str]) -> None:
    """Answer with the one of the suggestions that the person meant."""
    asked = await turn.session.get(Question, number_in(arguments))
    item = await turn.session.get(Item, number_in(arguments, 1))
    if asked is None or asked.chat_id != turn.chat.id or item is None:
        turn.hint(turn.labels["gone"])
        return
    answer = await turn.means.answers.about(turn.session, item.key, language=turn.language)
    if answer is None:
        turn.hint(turn.labels["gone"])
        return
    asked.item_key = item.key
    turn.show(_words(turn, answer), _after_answer(turn, asked))


async def rate(turn: Turn, arguments: list[str]) -> None:
    """Keep whether an answer helped; after "no", the team is one press away."""
    helpful, number = arguments[:1] == ["yes"], number_in(arguments, 1)
    known = await questions.rate(turn.session, number, turn.chat.id, helpful=helpful)
    turn.hint(turn.labels["thanks" if known else "gone"])
    if known and not helpful:
        turn.say(turn.words("not-helpful.html"), ((_team_button(turn, number),),))


async def ask_team(turn: Turn, arguments: list[str]) -> None:
    """Put the question on the team's list and tell the team, once."""
    opened = await questions.ask_team(turn.session, number_in(arguments), turn.chat.id, turn.now)
    if opened is None:
        turn.hint(turn.labels["asked_before"])
        return
    await _tell_team(turn, opened)
    turn.say(turn.words("team-asked.html", contact=turn.service.contact))


async def _tell_team(turn: Turn, opened: Question) -> None:
    letter = {
        "question_id": opened.id,
        "text": opened.text,
        "language": opened.language.value,
        "asked_at": opened.asked_at.isoformat(),
    }
    team = [operator.email for operator in await operators.listing(turn.session)]
    for address in team or filter(None, [turn.service.contact]):
        await notices.queue(turn.session, notices.Kind.QUESTION, address, FALLBACK, letter, turn.now)


async def _show(turn: Turn, answer: Answer, asked: Question) -> None:
    match answer.outcome:
        case Outcome.ANSWER:
            turn.say(_words(turn, answer), _after_answer(turn, asked))
        case Outcome.CLARIFY:
            turn.say(f"🤔 {markup.from_markdown(answer.text)}", await _suggestions(turn, answer, asked))
        case Outcome.UNKNOWN:
            turn.say(_words(turn, answer), ((_team_button(turn, asked.id),),))
        case Outcome.DECLINE:
            turn.say(markup.from_markdown(answer.text))


def _words(turn: Turn, answer: Answer) -> str:
    return turn.words(
        "answer.html",
        answer=answer,
        body=markup.from_markdown(answer.text),
        in_english=answer.language is FALLBACK is not turn.language,
    )


async def _suggestions(turn: Turn, answer: Answer, asked: Question) -> Rows:
    rows: Rows = ()
    for suggestion in answer.suggestions[:3]:
        known = await items.find_by_key(turn.session, suggestion.key)
        if known is not None:
            data = f"ask:{asked.id}:{known.id}"
            rows += ((Button(text=suggestion.title[:_LONGEST_BUTTON], data=data),),)
    return (*rows, (_team_button(turn, asked.id),))


def _after_answer(turn: Turn, asked: Question) -> Rows:
    helpful = (
        turn.button("helpful", f"rate:yes:{asked.id}"),
        turn.button("not_helpful", f"rate:no:{asked.id}"),
    )
    return helpful, (_team_button(turn, asked.id),)


def _team_button(turn: Turn, number: int | None) -> Button:
    return turn.button("ask_team", f"team:{number}")
