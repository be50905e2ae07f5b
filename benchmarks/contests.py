"""Contests: who runs in a measure, and the rounds in which they take turns."""

import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import contestants, relays, requirements, stages
from benchmarks.contestants import Conditions
from benchmarks.processes import Failed, Missing
from benchmarks.requirements import NODEMAILER, OURS, SOURCE, Figures, Measure, Rounds
from benchmarks.rivals import Nodemailer
from benchmarks.stages import Stage
from helixpost.places import ROOT

SHORT_LIST = 1000
FOLDER = ROOT / "var" / "benchmarks"
"""A place on a real disk: in a temporary file system, no commit costs anything."""

Run = Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a benchmark was asked to do."""

    folder: Path
    readers: int
    runs: int
    databases: tuple[str, ...]
    instances: int = 1
    """Processes of each contestant where letters are signed."""


class Contest:
    """Everything that measures share: the prepared databases, the rival, and what could not be had."""

    def __init__(self, options: Options, equipment: AsyncExitStack) -> None:
        """Keep what was asked for; each piece of equipment is brought out when it is first needed."""
        self.notes: list[str] = []
        """What could not be measured, with the reason and the cure."""
        self._options = options
        self._equipment = equipment
        self._stages: dict[tuple[str, int], Stage | None] = {}
        self._nodemailer: Nodemailer | None = None
        self._letter = b""

    @property
    def letter_bytes(self) -> int:
        """How long one letter of ours is, once a database is prepared."""
        return len(self._letter)

    async def hold(self, name: str) -> Rounds:
        """Run a measure and return what each contestant came to, round by round.

        They take turns, so that what else the machine does meets all of them.
        """
        runs = await self._runs(requirements.MEASURES[name])
        rounds: dict[str, list[Figures]] = {contestant: [] for contestant in runs}
        for number in range(self._options.runs):
            for contestant, run in list(runs.items()):
                if not any(left.startswith(OURS) for left in runs):
                    return rounds  # nobody is left to compare with
                told = f"{name}, round {number + 1} of {self._options.runs}, {contestant}"
                try:
                    figures = await run()
                except (Failed, Missing) as reason:
                    self._note(f"{name}, {contestant}: {reason}")
                    del runs[contestant]
                    continue
                rounds[contestant].append(figures)
                say(f"{told}: {figures[requirements.RATE]:,.0f} letters per second")
        return rounds

    async def _runs(self, measure: Measure) -> dict[str, Run]:
        conditions = self._conditions(measure)
        runs: dict[str, Run] = {}
        for kind in self._options.databases:
            stage = await self._stage(kind, conditions.messages)
            if stage is not None:
                runs[f"{OURS}, {kind}"] = partial(contestants.run_ours, conditions, stage)
        if runs and SOURCE in measure.rivals:
            runs[SOURCE] = partial(contestants.run_source, conditions, self.letter_bytes)
        if runs and NODEMAILER in measure.rivals and (rival := self._rival()):
            runs[NODEMAILER] = partial(contestants.run_nodemailer, conditions, rival)
        return runs

    def _conditions(self, measure: Measure) -> Conditions:
        options = self._options
        messages = SHORT_LIST if measure.short else options.readers
        if not measure.signed:
            return Conditions(measure, options.folder, messages)
        key = _fresh_key(options.folder / "dkim.pem")
        return Conditions(measure, options.folder, messages, options.instances, key)

    async def _stage(self, kind: str, readers: int) -> Stage | None:
        if (kind, readers) not in self._stages:
            self._stages[kind, readers] = await self._prepare(kind, readers)
        return self._stages[kind, readers]

    async def _prepare(self, kind: str, readers: int) -> Stage | None:
        say(f"preparing {readers:,} readers, {kind}")
        folder = self._options.folder / f"{kind}-{readers}"
        try:
            stage = await self._equipment.enter_async_context(stages.prepared(kind, readers, folder))
        except (Failed, Missing) as reason:
            self._note(f"{kind}: {reason}")
            return None
        self._letter = stage.letter
        return stage

    def _rival(self) -> Nodemailer | None:
        if self._nodemailer is None:
            try:
                self._nodemailer = Nodemailer(self._options.folder / "nodemailer", self._letter)
            except Missing as reason:
                self._note(f"{NODEMAILER}: {reason}")
        return self._nodemailer

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
            say(sentence)


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Contest]:
    """Open a contest; all that it prepares is gone at the end. Raises `Missing` without postfix's tools."""
    relays.check()
    async with AsyncExitStack() as equipment:
        yield Contest(options, equipment)


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Offer an empty folder inside that one, and delete it at the end."""
    # Asked to end, it ends as with Ctrl-C: databases, processes and files are taken down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as place:
        yield Path(place)


def count(text: str) -> int:
    """Return an argument of the command line that must be 1 or more."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def say(line: str) -> None:
    """Tell whoever waits how far it is."""
    print(line, file=sys.stderr, flush=True)


def _fresh_key(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, no_password))
    path.chmod(0o600)
    return path
