"""Claimants: processes that hold leases, and the proof that one of them is dead.

A lease must outlast a long outage of the database, so waiting for it after a crash would delay letters
for minutes. A claimant therefore holds a lock on a file of its own; the operating system frees the lock
when the process dies, however it dies. Whoever starts next on this machine finds the free lock and
takes the dead one's rows over at once. On another machine the end of the lease decides.
"""

import fcntl
from pathlib import Path
from typing import Self
from uuid import uuid4

_LOCKED = ".lock"


class Claimant:
    """This process as the holder of leases; its name goes into the rows that it claims."""

    def __init__(self, folder: Path) -> None:
        """Take a lock of our own in that folder, which all processes of this machine share."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name = uuid4().hex
        self._path = folder / f"{self.name}{_LOCKED}"
        # Locked before it has its name: nobody can find it free in between.
        unnamed = folder / f"{self.name}.new"
        self._file = unnamed.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(self._path)

    def close(self) -> None:
        """Give the lock back; only a process without open claims does this."""
        self._path.unlink(missing_ok=True)
        self._file.close()

    def leave(self) -> None:
        """Let go of the lock with claims still open: whoever starts next finds us dead."""
        self._file.close()

    def __enter__(self) -> Self:
        """Hold the lock while the block runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self.close()


def dead(folder: Path) -> list[str]:
    """Return the names of claimants whose process on this machine has died."""
    return [path.stem for path in sorted(folder.glob(f"*{_LOCKED}")) if _is_free(path)]


def bury(folder: Path, names: list[str]) -> None:
    """Forget dead claimants, once their rows are released."""
    for name in names:
        (folder / f"{name}{_LOCKED}").unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True
