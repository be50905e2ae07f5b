"""Health: one address that tells a watcher whether the service can do its work."""

import asyncio

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from domain.database import Database
from web.visits import Visiting

PATIENCE_SECONDS = 2.0
"""A database that is slower than this serves nobody."""

router = APIRouter()


@router.api_route("/health", methods=["GET", "HEAD"])
async def tell(visit: Visiting) -> JSONResponse:
    """Answer 200 with the schema's revision, or 503 when the database does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            schema = await _schema(visit.database)
    except (OSError, SQLAlchemyError):  # a TimeoutError is an OSError
        answer, status = {"status": "unavailable", "database": "unreachable"}, 503
    else:
        answer, status = {"status": "ok", "database": "ok", "schema": schema}, 200
    return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})


async def _schema(database: Database) -> str:
    async with database.reading() as session:
        connection = await session.connection()
        return str(await connection.scalar(text("SELECT version_num FROM alembic_version")))
