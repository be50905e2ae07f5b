"""A million: one campaign to a very long list, from its start to the last letter recorded, in figures."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from benchmarks import mailers, relays, requirements, stages
from benchmarks.contests import FOLDER, count, say, workplace
from benchmarks.processes import Failed, Missing
from benchmarks.products import Setup


def main() -> int:
    """Send one campaign and print what it took; 1 = it could not be sent whole."""
    arguments = _arguments()
    try:
        with workplace(arguments.folder) as folder:
            figures = asyncio.run(_send(arguments, folder / "million"))
    except (Failed, Missing) as reason:
        print(f"nothing was measured: {reason}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:42} {value:12,.2f}")
    return 0


async def _send(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    relays.check()
    say(f"preparing {arguments.readers:,} readers, {arguments.database}")
    async with stages.prepared(
        arguments.database, arguments.readers, folder, by_import=arguments.with_import
    ) as stage:
        say("sending")
        with relays.sink(folder) as relay:
            sending = await mailers.send(stage, relay, Setup())
        figures: dict[str, float] = {"readers": stage.readers, "bytes of a letter": len(stage.letter)}
        if stage.import_seconds is not None:
            figures["import, seconds"] = stage.import_seconds
            figures["import, readers per second"] = stage.readers / stage.import_seconds
    per_letter = 1000 / sending.messages
    figures |= {
        "campaign from start to end, seconds": sending.campaign_seconds,
        "first to last letter recorded, seconds": sending.seconds,
        requirements.RATE: sending.rate,
        requirements.CPU: sending.cpu * per_letter,
        requirements.MEMORY: sending.peak_memory,
    }
    if sending.server_cpu is not None:
        figures[requirements.SERVER_CPU] = sending.server_cpu * per_letter
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--readers", type=count, default=1_000_000, help="how many letters")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--with-import", action="store_true", help="import them from a CSV file, timed")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="on which disk to work")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
