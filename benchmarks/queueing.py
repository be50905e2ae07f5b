"""Queueing: the start of a campaign to very many readers, beside a bare INSERT of the same columns."""

import json
import sys
from functools import partial

from benchmarks import bulk, processes, products, stages
from benchmarks.bulk import Task
from benchmarks.requirements import QUEUES, Figures, Rounds
from benchmarks.stages import Stage


async def _measure(task: Task) -> Rounds:
    async with stages.prepared(task.kind, task.rows, task.folder / "stage") as stage:
        return await bulk.in_turns(
            task, partial(_start, task, stage, "ledger"), partial(_start, task, stage, "bare")
        )


async def _start(task: Task, stage: Stage, into: str) -> Figures:
    async with stage.original.copy() as url:
        start = [sys.executable, "-m", "benchmarks.starts", url, str(stage.campaign), into]
        log = task.folder / "start.log"
        _, peak = processes.watch(start, log, **products.options(task.folder))
        told = json.loads(log.read_text(encoding="utf-8"))
        if told["rows"] != task.rows:
            raise processes.Failed(f"{told['rows']} of {task.rows} readers were queued")
        return bulk.figures_of(task, told["seconds"], peak)


if __name__ == "__main__":
    sys.exit(bulk.run("queueing", QUEUES, _measure))
