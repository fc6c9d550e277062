"""A day of samples, one a minute."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sms_gateway.database import Base


class OperationSample(Base):
    """How the hotline did at that minute: counts and seconds only."""

    __tablename__ = "operation_samples"

    minute: Mapped[datetime] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
