"""Delivery: how fast a campaign leaves, and at what cost, beside smtp-source and Nodemailer in one run."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import contests, reports
from benchmarks.contests import FOLDER, Options, count
from benchmarks.processes import Missing
from benchmarks.requirements import MEASURES

_DATABASES = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "both": ("sqlite", "postgresql")}


def main() -> int:
    """Measure what was asked for; 0 = all of it was measured, whatever came out, 1 = something was not."""
    arguments = _arguments()
    names = arguments.only or list(MEASURES)
    try:
        with contests.workplace(arguments.folder) as folder:
            options = Options(
                folder,
                arguments.readers,
                arguments.runs,
                _DATABASES[arguments.database],
                arguments.instances,
            )
            return asyncio.run(_measure(options, names, as_json=arguments.json))
    except Missing as reason:
        print(f"nothing was measured: {reason}", file=sys.stderr)
        return 1


async def _measure(options: Options, names: list[str], *, as_json: bool) -> int:
    async with contests.opened(options) as contest:
        measured = {name: await contest.hold(name) for name in names}
    report: dict[str, Any] = {
        "readers": options.readers,
        "runs": options.runs,
        "letter_bytes": contest.letter_bytes,
        "measures": {name: reports.as_dict(MEASURES[name], rounds) for name, rounds in measured.items()},
        "not_measured": contest.notes,
    }
    if as_json:
        print(json.dumps(report, indent=2))
        return 1 if contest.notes else 0
    size = f", a letter of {contest.letter_bytes:,} bytes" if contest.letter_bytes else ""
    print(f"\n{options.readers:,} readers{size}, rounds: {options.runs}")
    for name, rounds in measured.items():
        reports.print_measure(MEASURES[name], rounds)
    for note in contest.notes:
        print(f"not measured: {note}")
    return 1 if contest.notes else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--readers", type=count, default=20_000, help="how many letters a campaign has")
    parser.add_argument("--runs", type=count, default=5, help="rounds; the median decides")
    parser.add_argument("--database", choices=_DATABASES, default="both", help="which of ours")
    parser.add_argument("--only", choices=MEASURES, action="append", help="a measure; may be repeated")
    parser.add_argument("--instances", type=count, default=1, help="processes of each side, with DKIM")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="on which disk to work")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
