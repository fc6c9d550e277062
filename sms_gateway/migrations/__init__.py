"""The database's schema, step by step (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(url: str) -> Config:
    """Alembic's settings for the database at `url` (as libpq reads it)."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    made.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return made


def upgrade(url: str) -> None:
    """Bring the database at `url` up to date."""
    command.upgrade(config(url), "head")
