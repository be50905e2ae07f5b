"""Copies: what a backup that is put back elsewhere looks like, on either database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy import make_url

from domain.database import Database


@asynccontextmanager
async def copied(database: Database, url: str) -> AsyncIterator[str]:
    """Copy a database as it stands under another name while the block runs; yields the copy's address."""
    await database.close()  # it opens again when it is used; PostgreSQL copies no database in use
    parsed = make_url(url)
    assert parsed.database is not None
    if parsed.get_backend_name() == "sqlite":
        copy = Path(parsed.database).with_name("restored.db")
        shutil.copy(parsed.database, copy)
        yield f"sqlite:///{copy}"
        return
    name = f"{parsed.database}_{uuid4().hex[:6]}"
    admin = await asyncpg.connect(parsed.set(database="postgres").render_as_string(hide_password=False))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{parsed.database}"')
        yield parsed.set(database=name).render_as_string(hide_password=False)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()
