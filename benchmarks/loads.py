"""Loads: the plainest way to put a CSV file into one table without a key; nothing in it is checked.

`python -m benchmarks.loads URL FILE`
"""

import asyncio
import csv
import sqlite3
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path


def main() -> None:
    """Load the file as durably as the product does."""
    url, file = sys.argv[1], Path(sys.argv[2])
    with file.open(encoding="utf-8", newline="") as opened:
        columns = next(csv.reader(islice(opened, 1)))
    if url.startswith("sqlite:///"):
        _load_into_sqlite(url.removeprefix("sqlite:///"), file, columns)
    else:
        asyncio.run(_load_into_postgresql(url, file, columns))


def _load_into_sqlite(path: str, file: Path, columns: list[str]) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        file.open(encoding="utf-8", newline="") as opened,
        connection,
    ):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"CREATE TABLE bare ({', '.join(columns)})")
        rows = csv.reader(opened)
        next(rows)
        connection.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * len(columns))})", rows)


async def _load_into_postgresql(url: str, file: Path, columns: list[str]) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE TABLE bare ({', '.join(f'{name} text' for name in columns)})")
        await connection.copy_to_table("bare", source=file, format="csv", header=True)
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
