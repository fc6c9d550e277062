"""Numbers as gateways write them: ours with the extension of a broadcast, a person's as they take it. Pure.

The extension (扩展码) of a broadcast is its id's last digits behind the access number: a reply goes to the whole number, so it
finds its broadcast. Talks leave from the bare access number.
"""

from __future__ import annotations

from typing import Final

LONGEST_SRC_ID: Final = 20
"""Digits of access number and extension together that gateways take; the field holds 21, many allow one less."""
_FIRST_OF_OUTREACH: Final = 10**17
_ROWS_OF_BROADCAST: Final = 10**9
"""As `broadcasts.references` makes them; a test holds the two together."""


def extension_of(reference: int, digits: int) -> str:
    """The extension a text of that reference leaves with: `digits` digits for outreach, none for a talk."""
    if digits == 0 or reference < _FIRST_OF_OUTREACH:
        return ""
    broadcast_id = (reference - _FIRST_OF_OUTREACH) // _ROWS_OF_BROADCAST
    return f"{broadcast_id % 10**digits:0{digits}d}"


def read_extension(dest_id: str, src_id: str) -> str | None:
    """The extension a person wrote to, from the whole number; None for none, or for a number that is not ours."""
    if not dest_id.startswith(src_id):
        return None
    found = dest_id[len(src_id) :]
    return found if found.isascii() and found.isdigit() else None


def to_gateway(number: str) -> str:
    """A person's E.164 number as gateways take it: a mainland one without +86, another with its country code."""
    return number.removeprefix("+86").removeprefix("+")
