import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.database import Database
from domain.sites import ServiceSettings
from knowledge import packs
from knowledge.answers import Answers
from knowledge.imports import import_pack
from wording.texts import Texts

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample_pack"


@pytest.fixture
def write_pack(tmp_path: Path) -> Callable[..., Path]:
    """Writes the sample pack with some files replaced; None leaves a file out."""

    def write(**changes: str | None) -> Path:
        folder = tmp_path / "pack"
        shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
        for name, text in changes.items():
            (folder / name).unlink(missing_ok=True)
            if text is not None:
                (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def texts() -> Texts:
    return Texts(ROOT / "templates", ROOT / "locales")


@pytest.fixture
def answers(texts: Texts) -> Answers:
    return Answers(texts, ServiceSettings(secret="a-secret-for-the-tests-only-0123456789"))


@pytest.fixture
async def intra(database: Database, now: datetime) -> AsyncIterator[AsyncSession]:
    """A reading session on a database that holds the INTRA pack."""
    async with database.transaction() as session:
        await import_pack(session, packs.read(ROOT / "content" / "intra"), now)
    async with database.reading() as session:
        yield session
