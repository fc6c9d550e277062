"""What an exchange says at our door about a call of ours: a signed form, read into our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_gateway import clock
from sms_gateway.carriers.incoming import FormIsIncomplete, read_form, read_id
from sms_gateway.errors import HotlineError
from sms_gateway.settings import Settings

from . import make_believe_telephone, twilio_voice


class SignatureIsWrong(HotlineError):
    status_code = 403
    sentence = "签名不对。"


@dataclass(frozen=True)
class Word:
    """`exchange_id` names the call on their side; `state` in our words, None when it says nothing we know."""

    exchange_id: str
    state: str | None
    error: str | None
    key: str


def read(settings: Settings, *, path: str, headers: Mapping[str, str], body: bytes) -> Word:
    """The form posted to `path` (with its query). Both exchanges use Twilio's names.

    Raises `SignatureIsWrong` (also where no exchange is set up), `FormCannotBeRead`, `FormIsIncomplete`.
    """
    form = _genuine(settings, path, headers, body)
    exchange_id = read_id(form, "CallSid")
    status = form.get("CallStatus")
    if not status:
        raise FormIsIncomplete("CallStatus")
    code = form.get("ErrorCode") or form.get("SipResponseCode") or ""
    plain = code if code.isascii() and code.isdigit() and len(code) <= 8 else None
    return Word(exchange_id, twilio_voice.STATES.get(status), plain, form.get("Digits", "")[:8])


def _genuine(settings: Settings, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    if settings.voice_driver == "twilio" and settings.twilio_auth_token is not None:
        form = read_form(body)
        token = settings.twilio_auth_token.get_secret_value()
        signature = headers.get(twilio_voice.SIGNATURE_HEADER)
        if twilio_voice.is_genuine(token=token, url=settings.webhook_url + path, form=form, signature=signature):
            return form
    elif settings.voice_driver == "simulator":
        signature = headers.get(make_believe_telephone.SIGNATURE_HEADER)
        key = make_believe_telephone.secret(settings)
        if make_believe_telephone.is_genuine(key, path=path, body=body, signature=signature, at=clock.now()):
            return read_form(body)
    raise SignatureIsWrong
