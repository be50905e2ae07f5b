"""Importing: a CSV file of subscribers by the product's command, beside its bare load into one table."""

import sys
from functools import partial
from pathlib import Path

from benchmarks import bulk, databases, processes, products, readers
from benchmarks.bulk import Task
from benchmarks.databases import Original
from benchmarks.products import Setup, command
from benchmarks.requirements import IMPORTS, Figures, Rounds
from helixpost.places import CONTENT


async def _measure(task: Task) -> Rounds:
    file = task.folder / "readers.csv"
    readers.write_file(file, task.rows)
    async with databases.original(task.kind, task.folder / "database") as original:
        config = _config(task, original.url)
        command(config, "migrate")
        command(config, "content", "import", CONTENT / "intra")
        return await bulk.in_turns(
            task, partial(_import, task, original, file), partial(_load, task, original, file)
        )


async def _import(task: Task, original: Original, file: Path) -> Figures:
    async with original.copy() as url:
        ended, peak = readers.import_from(file, _config(task, url))
    return bulk.figures_of(task, ended.seconds, peak)


async def _load(task: Task, original: Original, file: Path) -> Figures:
    async with original.copy() as url:
        load: list[str | Path] = [sys.executable, "-m", "benchmarks.loads", url, file]
        options = products.options(task.folder)
        ended, peak = processes.watch(load, task.folder / "load.log", **options)
    return bulk.figures_of(task, ended.seconds, peak)


def _config(task: Task, url: str) -> Path:
    config = task.folder / "config.toml"
    config.write_text(Setup().settings(url, port=25), encoding="utf-8")
    return config


if __name__ == "__main__":
    sys.exit(bulk.run("importing", IMPORTS, _measure))
