"""How an action speaks: a fixed text by its key, with what the front door needs to know about it."""

from __future__ import annotations

from typing import Any, Literal

from rasa_sdk.executor import CollectingDispatcher

from sms_gateway.wording import say

Asks = Literal["form", "choice"]
"""Whose digits the assistant itself reads after this reply: an open form's (24 h) or a choice's (30 min)."""


def speak(
    dispatcher: CollectingDispatcher, key: str, *, asks: Asks | None = None, before: str = "", **values: object
) -> None:
    """Say the fixed text `key`, after `before` (a short text that stands in front of it)."""
    speak_text(dispatcher, before + say(key, **values), key=key, asks=asks)


def speak_text(dispatcher: CollectingDispatcher, text: str, *, key: str, asks: Asks | None = None, **more: Any) -> None:
    """Say a text that is not fixed (a handbook answer); `key` names its kind."""
    dispatcher.utter_message(text=text, json_message={"key": key, "asks": asks, **more})


def hush(dispatcher: CollectingDispatcher) -> None:
    """Deliberately say nothing, in an open form: somebody is near. Not the same as an answer that is missing."""
    dispatcher.utter_message(json_message={"key": "hush", "asks": "form"})
