"""The turn an action is run for: whose text it answers, what was judged of it, until when an answer is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rasa_sdk import Tracker

from sms_gateway import clock
from sms_gateway.errors import HotlineError
from texts.embedding import unpack_base64

if TYPE_CHECKING:
    from texts.embedding import Vector


class TurnIsBroken(HotlineError):
    """A call that does not say whose text it answers. Nothing is done for it."""

    sentence = "这一轮缺少编号。"


@dataclass(frozen=True)
class Turn:
    """`now` is the front door's time of the turn (its clock stands still in `hotline replay`)."""

    contact_id: int
    message_id: int
    thread_id: int
    text: str
    intent: str
    confidence: float
    lane: str
    sexual: bool
    writer: str
    channel: str
    region: str | None
    vector: Vector | None
    now: datetime


def read_turn(tracker: Tracker) -> Turn:
    """The turn of the tracker's latest text; raises `TurnIsBroken`."""
    latest = tracker.latest_message or {}
    metadata, understood = latest.get("metadata") or {}, latest.get("intent") or {}
    try:
        contact, message, thread = (int(metadata[key]) for key in ("contact", "message", "thread"))
    except (KeyError, TypeError, ValueError):
        raise TurnIsBroken from None
    return Turn(
        contact_id=contact,
        message_id=message,
        thread_id=thread,
        text=str(latest.get("text") or ""),
        intent=str(understood.get("name") or ""),
        confidence=float(understood.get("confidence") or 0.0),
        lane=str(metadata.get("lane") or "blue"),
        sexual=bool(metadata.get("sexual")),
        writer=str(metadata.get("writer") or "unknown"),
        channel=str(metadata.get("channel") or "sms"),
        region=metadata.get("region"),
        vector=_vector(metadata.get("e5")),
        now=time_of(metadata),
    )


def time_of(metadata: Mapping[str, Any]) -> datetime:
    """The front door's time in `metadata["now"]` (unix seconds), else this process's."""
    given = metadata.get("now")
    return datetime.fromtimestamp(given, UTC) if isinstance(given, int | float) else clock.now()


def deadline_of(call: Mapping[str, Any]) -> float | None:
    """Until when (unix seconds) the caller waits; None when the call does not say."""
    given = metadata_of(call).get("deadline")
    return float(given) if isinstance(given, int | float) else None


def metadata_of(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the front door sent along with the text of this call."""
    tracker = call.get("tracker") or {}
    latest: Mapping[str, Any] = (tracker.get("latest_message") or {}).get("metadata") or {}
    opening: Mapping[str, Any] = (tracker.get("slots") or {}).get("session_started_metadata") or {}
    return opening if call.get("next_action") == "action_session_start" else latest


def _vector(packed: object) -> Vector | None:
    try:
        return unpack_base64(packed) if isinstance(packed, str) else None
    except ValueError:
        return None
