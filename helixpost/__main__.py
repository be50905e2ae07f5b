"""The command `helixpost`: one entry, every verb of the contract."""

import sys

import typer
from sqlalchemy.exc import SQLAlchemyError

from domain.database import reason_of
from domain.errors import DomainError
from helixpost import logs
from helixpost.commands import running

_SERVICE = ("run", "demo")


def commands(asked: str = "") -> typer.Typer:
    """Return the command line. The service comes alone: for months, what the others load would lie idle."""
    app = typer.Typer(
        name="helixpost",
        help="Stakeholder engagement for EU projects: a bot that answers with its source, a newsletter "
        "whose ledger balances.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    running.register(app)
    if asked not in _SERVICE:
        _add_others(app)
    return app


def _add_others(app: typer.Typer) -> None:
    from helixpost.commands import (
        answers,
        campaigns,
        content,
        dkim,
        events,
        operators,
        setup,
        subscribers,
    )

    for group in (setup, answers):
        group.register(app)
    for name, group_app in {
        "answers": answers.app,
        "campaigns": campaigns.app,
        "content": content.app,
        "dkim": dkim.app,
        "events": events.app,
        "operators": operators.app,
        "subscribers": subscribers.app,
    }.items():
        app.add_typer(group_app, name=name)


def main() -> None:
    """Run one command: exit code 0 = done, 1 = refused with a sentence, 2 = wrong usage."""
    logs.configure()
    try:
        commands(*sys.argv[1:2])()
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
