"""Requirements: what the product promises of its speed and memory, and whether figures keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

OURS = "ours"
SOURCE = "smtp-source"
NODEMAILER = "Nodemailer"

RATE = "letters per second"
CPU = "CPU, ms per letter"
CPU_WITH_START = "CPU with the start, ms per letter"
SERVER_CPU = "CPU of the database, ms per letter"
SINK_CPU = "CPU of the receiver, ms per letter"
DISTANCE_CPU = "CPU of the delay, ms per letter"
MEMORY = "peak memory, MB"
SECONDS = "seconds"
PER_MILLION = "seconds for a million"
RATIO = "times as long as the bare load"

Figures = Mapping[str, float]
"""What one run of a contestant came to, by name."""
Rounds = Mapping[str, Sequence[Figures]]
"""By contestant, one entry per round; one that dropped out has fewer, and those are the first ones."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise: a figure of ours, or its ratio to a rival's of the same round."""

    name: str
    figure: str
    least: float
    """What must be met; for a figure that may be no more, the most."""
    aim: float
    rival: str | None = None

    @property
    def at_most(self) -> bool:
        """Whether less is better."""
        return self.aim < self.least

    def values(self, rounds: Rounds, ours: str) -> list[float]:
        """Return one value per round in which all that it needs was measured."""
        figures = [figures[self.figure] for figures in rounds[ours]]
        if self.rival is None:
            return figures
        rivals = [figures[self.figure] for figures in rounds.get(self.rival, ())]
        return [figure / rival for figure, rival in zip(figures, rivals, strict=False)]

    def verdict(self, values: Sequence[float]) -> str:
        """Say whether the median keeps the promise."""
        if not values:
            return "not measured"
        sign = -1 if self.at_most else 1
        reached = sign * median(values)
        if reached >= sign * self.aim:
            return "aim met"
        return "met" if reached >= sign * self.least else "missed"


@dataclass(frozen=True, slots=True)
class Measure:
    """A race under one set of conditions, and the promises that it decides."""

    title: str
    requirements: tuple[Requirement, ...]
    distant: bool = False
    """Whether the relay is a round trip of 20 ms away, and 100 connections lead to it."""
    signed: bool = False
    """Whether letters carry an RSA-2048 signature (DKIM)."""
    short: bool = False
    """Whether the list is one of 1,000 readers, whatever was asked for."""

    @property
    def rivals(self) -> list[str]:
        """Who runs beside us."""
        return [each.rival for each in self.requirements if each.rival]


_MEMORY = Requirement("peak memory, MB", MEMORY, 90, 75)
MEASURES: Mapping[str, Measure] = {
    "plain": Measure(
        "Plain letters over 10 connections",
        (
            Requirement("throughput against smtp-source -d -s 10", RATE, 0.75, 0.9, SOURCE),
            Requirement("throughput against Nodemailer", RATE, 7, 10, NODEMAILER),
            Requirement("CPU of ours, ms per letter", CPU, 0.25, 0.15),
            _MEMORY,
        ),
    ),
    "dkim": Measure(
        "Letters signed with RSA-2048 DKIM over 10 connections",
        (Requirement("throughput against Nodemailer with DKIM", RATE, 4, 6, NODEMAILER),),
        signed=True,
    ),
    "distance": Measure(
        "20 ms round trip, 100 connections",
        (Requirement("throughput against smtp-source -d -s 100", RATE, 3.5, 4, SOURCE),),
        distant=True,
    ),
    "memory": Measure("A short list of 1,000 readers", (_MEMORY,), short=True),
}

IMPORTS: Mapping[str, Measure] = {
    kind: Measure(
        f"Importing subscribers from CSV, {kind}",
        (Requirement("seconds for a million subscribers", PER_MILLION, 120, 40), _MEMORY),
    )
    for kind in ("sqlite", "postgresql")
}
QUEUES: Mapping[str, Measure] = {
    kind: Measure(
        f"Queueing a campaign, {kind}",
        (Requirement("seconds for a million readers", PER_MILLION, least, aim), _MEMORY),
    )
    for kind, least, aim in (("sqlite", 3, 1), ("postgresql", 6, 3))
}
