"""Every action there is, by the name Rasa calls it (domain.yml)."""

from __future__ import annotations

from rasa_sdk import Action

from .forms import all_forms
from .matters import ActionChangeTicket, ActionEvaluate, ActionSuggest, ActionTicketStatus
from .outreach import ActionOptIn, ActionOptOut
from .people import ActionFallback, ActionHandOver, ActionOutOfScope
from .policy import ActionAnswerPolicy, ActionChoose
from .sayings import all_sayings
from .session import ActionSessionStart


def all_actions() -> list[Action]:
    """One of each."""
    return [
        ActionSessionStart(),
        *all_forms(),
        *all_sayings(),
        ActionAnswerPolicy(),
        ActionChoose(),
        ActionSuggest(),
        ActionTicketStatus(),
        ActionChangeTicket(),
        ActionEvaluate(),
        ActionOptIn(),
        ActionOptOut(),
        ActionHandOver(),
        ActionOutOfScope(),
        ActionFallback(),
    ]
