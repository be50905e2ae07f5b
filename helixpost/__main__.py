"""The command `helixpost`: one entry, every verb of the contract."""

import sys

import typer
from sqlalchemy.exc import SQLAlchemyError

from domain.database import reason_of
from domain.errors import DomainError
from helixpost import logs
from helixpost.commands import (
    answers,
    bounces,
    campaigns,
    content,
    dkim,
    events,
    operators,
    running,
    setup,
    subscribers,
)

app = typer.Typer(
    name="helixpost",
    help="Stakeholder engagement for EU projects: a bot that answers with its source, a newsletter "
    "whose ledger balances.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (setup, running, answers):
    group.register(app)
bounces.register(subscribers.app)
for name, commands in {
    "answers": answers.app,
    "campaigns": campaigns.app,
    "content": content.app,
    "dkim": dkim.app,
    "events": events.app,
    "operators": operators.app,
    "subscribers": subscribers.app,
}.items():
    app.add_typer(commands, name=name)


def main() -> None:
    """Run one command: exit code 0 = done, 1 = refused with a sentence, 2 = wrong usage."""
    logs.configure()
    try:
        app()
    except DomainError as refusal:
        _refuse(str(refusal))
    except SQLAlchemyError as error:
        cure = "once it can be, run the command again"
        _refuse(f"[database] url: the database cannot be used ({reason_of(error)}); {cure}")
    except OSError as error:
        _refuse(f"{error.filename or 'this machine'}: cannot be read or written ({error.strerror or error})")


def _refuse(sentence: str) -> None:
    print(f"helixpost: {sentence}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
