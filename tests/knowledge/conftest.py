import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

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
