"""A new session after an hour's silence: what was said is forgotten, a form's draft is kept for a day.

Rasa resets everything at a session start and its own carry-over knows slots only, not the open form; so the draft and
the form that asks for it are put back here.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from . import drafts
from .turn import time_of


class ActionSessionStart(Action):
    def name(self) -> str:
        return "action_session_start"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        events: list[Any] = [SessionStarted()]
        now = time_of(tracker.get_slot("session_started_metadata") or {})
        kept = drafts.read_slot(tracker.get_slot("draft"))
        if kept is not None and not kept.is_over(now):
            events.append(SlotSet("draft", kept.as_slot()))
            if kept.is_open:
                events += [ActiveLoop(kept.form), SlotSet("requested_slot", kept.asked)]
        return [*events, ActionExecuted("action_listen")]
