"""The part of a form that says who was told of self-harm."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form

from sms_gateway.tickets.near_ones_rules import Near


def _near(told: Annotated[list[str] | None, Form()] = None, told_why: Annotated[str, Form()] = "") -> Near:
    return Near(tuple(told or ()), told_why)


Telling = Annotated[Near, Depends(_near)]
