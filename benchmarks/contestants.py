"""Contestants: one run of ours, of smtp-source or of Nodemailer, each against a fresh receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import mailers, relays, requirements
from benchmarks.products import Setup
from benchmarks.relays import Relay
from benchmarks.requirements import Figures, Measure
from benchmarks.rivals import Nodemailer
from benchmarks.stages import Stage

SESSIONS, DISTANT_SESSIONS = 10, 100
_DISTANT_WINDOW = 4 * DISTANT_SESSIONS
"""Letters of ours under way at most: what config.example.toml advises for so many connections."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which everybody runs."""

    measure: Measure
    folder: Path
    messages: int
    instances: int = 1
    """Processes that share the work, on both sides."""
    dkim_key: Path | None = None

    @contextmanager
    def relay(self) -> Iterator[Relay]:
        """Run a fresh receiver, as far away as the measure wants it."""
        with (relays.distant_sink if self.measure.distant else relays.sink)(self.folder) as relay:
            yield relay


async def run_ours(conditions: Conditions, stage: Stage) -> Figures:
    """Send the stage's campaign."""
    setup = Setup(dkim_key=conditions.dkim_key)  # else as shipped, with the defaults for all the rest
    if conditions.measure.distant:
        setup = Setup(connections=DISTANT_SESSIONS, window=_DISTANT_WINDOW)
    with conditions.relay() as relay:
        sending = await mailers.send(stage, relay, setup, instances=conditions.instances)
        per_letter = 1000 / sending.messages
        figures = {
            requirements.RATE: sending.rate,
            requirements.CPU: sending.cpu * per_letter,
            requirements.CPU_WITH_START: (sending.cpu + sending.cpu_at_start) * per_letter,
            requirements.MEMORY: sending.peak_memory,
        }
        if sending.server_cpu is not None:
            figures[requirements.SERVER_CPU] = sending.server_cpu * per_letter
        return figures | _cost_of_the_way(relay, per_letter)


async def run_source(conditions: Conditions, size: int) -> Figures:
    """Send as many letters of that size in bytes with `smtp-source`."""
    messages = conditions.messages
    sessions = DISTANT_SESSIONS if conditions.measure.distant else SESSIONS
    with conditions.relay() as relay:
        ended = relays.source(relay, messages, size, sessions, conditions.folder)
        return _of_rival(messages, ended.seconds, ended.cpu) | _cost_of_the_way(relay, 1000 / messages)


async def run_nodemailer(conditions: Conditions, rival: Nodemailer) -> Figures:
    """Send as many letters with Nodemailer."""
    messages = conditions.messages
    with conditions.relay() as relay:
        sending = rival.send(relay, messages, dkim_key=conditions.dkim_key, instances=conditions.instances)
        figures = _of_rival(messages, sending.seconds, sending.cpu)
        return figures | _cost_of_the_way(relay, 1000 / messages)


def _of_rival(messages: int, seconds: float, cpu: float) -> dict[str, float]:
    return {requirements.RATE: messages / seconds, requirements.CPU: 1000 * cpu / messages}


def _cost_of_the_way(relay: Relay, per_letter: float) -> dict[str, float]:
    cost = {requirements.SINK_CPU: relay.sink.cpu() * per_letter}
    if relay.distance is not None:
        cost[requirements.DISTANCE_CPU] = relay.distance.cpu() * per_letter
    return cost
