"""Servers: a PostgreSQL of the faults' own.

While one of its disks is full a server's checkpoints fail, and with them every test that makes a database.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import asyncpg

from tests.ports import free_port

OWNER = "postgres"
"""Whom the server runs as: it refuses to be root."""
_FOLDERS = "/usr/lib/postgresql"
_PATIENCE = 30.0


class NoServer(Exception):
    """PostgreSQL is not installed here, or may not be run as its own user."""


@contextmanager
def server() -> Iterator[str]:
    """Run a new, empty server while the block runs and return its address; raises `NoServer`."""
    folder, port = Path(mkdtemp(prefix="helixpost-server-")), free_port()
    try:
        shutil.chown(folder, OWNER)
        data = folder / "data"
        _run([_program("initdb"), "-D", data, "-U", OWNER, "-A", "trust", "--no-sync", "-E", "UTF8"])
        command: list[str | Path] = [_program("postgres"), "-D", data, "-p", str(port), "-k", folder]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, user=OWNER, stdout=log, stderr=log, cwd=folder)
        try:
            url = f"postgresql://{OWNER}@127.0.0.1:{port}/postgres"
            asyncio.run(_answered(url))
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # its fast shutdown
            process.wait(_PATIENCE)
    except (LookupError, PermissionError) as error:
        raise NoServer(f"PostgreSQL cannot be run as the user {OWNER} ({error})") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path:
    folders = [Path(folder) for folder in os.get_exec_path()] + sorted(Path(_FOLDERS).glob("*/bin"))
    found = [folder / name for folder in folders if (folder / name).exists()]
    if not found:
        raise NoServer(f"{name} is not installed")
    return found[-1]


def _run(words: Sequence[str | Path]) -> None:
    done = subprocess.run(words, user=OWNER, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise NoServer(done.stderr.strip())


async def _answered(url: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                await (await asyncpg.connect(url)).close()
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
            else:
                return
