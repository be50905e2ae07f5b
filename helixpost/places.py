"""Where the files that belong to the program lie, next to the packages."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
LOCALES = ROOT / "locales"
MIGRATIONS = ROOT / "migrations"
CONTENT = ROOT / "content"
