"""Disks: a small file system of its own, filled to the last octet and emptied again."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

_CHUNKS = (65536, 4096, 512, 1)


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system."""

    path: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("ab", buffering=0) as file:
            for size in _CHUNKS:
                while True:
                    try:
                        file.write(b"\0" * size)
                    except OSError:
                        break

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


class NoDisk(Exception):
    """Only root may mount a file system."""


@contextmanager
def mounted(size: str, owner: str = "root") -> Iterator[Disk]:
    """Mount a file system of that size while the block runs; raises `NoDisk` where that is not allowed."""
    # Not in the test's own folder, which other users cannot enter.
    path = Path(mkdtemp(prefix="helixpost-disk-"))
    path.chmod(0o755)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        path.rmdir()
        raise NoDisk(str(error)) from None
    if done.returncode:
        path.rmdir()
        raise NoDisk(done.stderr.strip())
    try:
        shutil.chown(path, owner)
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()
