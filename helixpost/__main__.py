"""The command `helixpost`: one entry, every verb of the contract."""

import sys

import typer

from domain.errors import DomainError
from helixpost import logs
from helixpost.commands import answers, campaigns, content, events, operators, running, setup, subscribers

app = typer.Typer(
    name="helixpost",
    help="Stakeholder engagement for EU projects: a bot that answers with its source, a newsletter "
    "whose ledger balances.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (setup, running, answers):
    group.register(app)
for name, commands in {
    "answers": answers.app,
    "campaigns": campaigns.app,
    "content": content.app,
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
        print(f"helixpost: {refusal}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
