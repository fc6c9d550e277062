"""The table in which Rasa keeps its trackers, sealed; written by `bot/tracker_store.py`, made and kept by us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base


class BotTracker(Base):
    """The events of one talk since its last session start, sealed for `bot_trackers.sealed:<sender>`."""

    __tablename__ = "bot_trackers"

    sender: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]
