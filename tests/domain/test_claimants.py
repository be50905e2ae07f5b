"""A process that died, however it died, is found dead; a living one is not."""

import subprocess
import sys
from pathlib import Path

from domain import claimants
from domain.claimants import Claimant

HOLD = """
import sys, time
from pathlib import Path
from domain.claimants import Claimant
holder = Claimant(Path(sys.argv[1]))
print(holder.name, flush=True)
time.sleep(60)
"""


def test_a_living_claimant_is_not_dead_and_a_closed_one_leaves_no_trace(tmp_path: Path) -> None:
    with Claimant(tmp_path):
        assert claimants.dead(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_found_dead_and_can_be_buried(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert claimants.dead(tmp_path) == []
        process.kill()
    assert claimants.dead(tmp_path) == [name]
    claimants.bury(tmp_path, [name])
    assert claimants.dead(tmp_path) == []
