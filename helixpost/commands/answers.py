"""Answers: ask as a stakeholder would, and measure how well the bot answers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.languages import FALLBACK, Language
from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import out, print_json, print_table
from helixpost.settings import Settings
from helixpost.wiring import opened

if TYPE_CHECKING:
    from knowledge.answers import Answer
    from knowledge.evaluation import Evaluation

app = typer.Typer(no_args_is_help=True, help="How well the bot answers.")


@app.callback(help=app.info.help)
def _answers() -> None:
    """Group the commands, so that `evaluate` keeps its name while it is alone."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module that stand alone."""
    app.command()(ask)


def ask(
    text: Annotated[str, typer.Argument(help="The question, in quotes.")],
    language: Annotated[Language, typer.Option(help="The language of the person's chat.")] = FALLBACK,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Answer a question as the bot would."""
    answer = run(_ask(read_settings(config), text, language))
    if as_json:
        print_json(_as_dict(answer))
        return
    out.print(answer.text)
    for source in answer.sources:
        out.print(f"  {source.title}: {source.url}")


@app.command()
def evaluate(
    file: Annotated[
        Path, typer.Argument(readable=False, help="Questions with expected outcomes, one JSON object a line.")
    ],
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Measure the answers to a file of questions, per language."""
    result = run(_evaluate(read_settings(config), file))
    if as_json:
        print_json(result.as_dict())
        return
    shares = {language.value: tally.as_dict() for language, tally in result.languages.items()}
    columns = ["language", *result.summary.as_dict()]
    print_table(columns, [(name, *row.values()) for name, row in shares.items()], empty="No question.")


def _as_dict(answer: "Answer") -> dict[str, Any]:
    return {
        "outcome": answer.outcome,
        "language": answer.language,
        "text": answer.text,
        "item": answer.item,
        "references": list(answer.references),
        "sources": [asdict(source) for source in answer.sources],
        "suggestions": [asdict(suggestion) for suggestion in answer.suggestions],
        "confidence": round(answer.confidence, 3),
    }


async def _ask(settings: Settings, text: str, language: Language) -> "Answer":
    async with opened(settings) as service, service.database.reading() as session:
        return await service.answers.answer(session, text, language=language, now=utc_now())


async def _evaluate(settings: Settings, file: Path) -> "Evaluation":
    from knowledge import evaluation

    questions = evaluation.read(file)
    async with opened(settings) as service, service.database.reading() as session:
        return await evaluation.evaluate(service.answers, session, questions, utc_now())
