"""What the commands share: the options of the contract, and the way in."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from domain.errors import DomainError
from helixpost import settings
from helixpost.settings import Settings

# Whether a file can be read is said by its reader, with the cure and exit code 1.
Config = Annotated[
    Path,
    typer.Option(
        "--config", envvar="HELIXPOST_CONFIG", readable=False, help="The settings file.", show_default=True
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="The campaign's number.")]
T = TypeVar("T")
DEFAULT_CONFIG = Path("config.toml")


def read_settings(config: Path) -> Settings:
    """Return the settings; raises `DomainError` naming each key that is wrong."""
    return settings.read(config)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end. An error of one role comes out as that error, not as a group."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(work)
        except BaseExceptionGroup as group:
            raise _first(group) from group


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows has none: its own loop is slower and does the same
        return None
    return uvloop.new_event_loop


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error a person can mend when there is one, else the group itself."""
    mendable: BaseException | None = group.subgroup(DomainError)
    while isinstance(mendable, BaseExceptionGroup):
        mendable = mendable.exceptions[0]
    return mendable or group
