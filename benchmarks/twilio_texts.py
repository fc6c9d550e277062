"""Texts as Twilio would hand them in: form-encoded, each with an id of its own and a valid signature."""

from __future__ import annotations

from itertools import count
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from .load import post

ACCOUNT = "AC" + "0" * 32
TOKEN = "token-of-the-benchmarks"
OUR_NUMBER = "+8613800009999"
SETTINGS = {
    "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT,
    "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN,
    "HOTLINE_TWILIO_FROM": OUR_NUMBER,
}

_ids = count(1)
_validator = RequestValidator(TOKEN)


def signed_text(port: int, *, sender: str, body: str) -> bytes:
    """One request for the gateway on that port."""
    form = {
        "MessageSid": f"SM{next(_ids):032x}",
        "AccountSid": ACCOUNT,
        "From": sender,
        "To": OUR_NUMBER,
        "Body": body,
        "NumMedia": "0",
    }
    signature = _validator.compute_signature(f"http://127.0.0.1:{port}/twilio/sms", form)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return post("/twilio/sms", urlencode(form).encode(), headers)


def number(index: int) -> str:
    """A make-believe number; 10,000 of them."""
    return f"+86138000{index % 10_000:05d}"
