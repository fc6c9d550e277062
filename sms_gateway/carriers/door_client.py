"""Texts handed over to a door on this machine that answers for each: the make-believe carrier's, and a domestic line's process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from .carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusedPerson,
    CarrierRefusesUs,
    SendError,
    TextOut,
)

CONNECTIONS = 128
"""At once from one process: as many sends as a worker has under way."""
CONNECT_SECONDS = 2.0

REFUSALS: Mapping[str, type[SendError]] = {
    "busy": CarrierIsBusy,
    "refused": CarrierRefused,
    "account": CarrierRefusesUs,
    "blocked": CarrierBlockedText,
    "opted_out": CarrierRefusedPerson,
    "unknown": CarrierDidNotAnswer,
}
"""`code` of an answer; `detail` beside it, where there is one, is the carrier's own."""
CODES = {kind: code for code, kind in REFUSALS.items()}


class DoorClient:
    """Posts to `path` one text, to `path/many` up to `most_at_once`; asks there for a reference. Pooled, on loopback."""

    most_at_once: int

    def __init__(
        self, *, url: str, token: str, path: str, seconds: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._path = path
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,
            transport=transport,
        )

    async def send(self, *, to: str, body: str, reference: int, validity: timedelta | None = None) -> str:
        """Hand a text over; returns the carrier's id. Raises `SendError`."""
        answer = await self._call("POST", self._path, json=_form(TextOut(to, body, reference, validity)))
        carrier_id = answer.get("id")
        if not isinstance(carrier_id, str):
            raise CarrierDidNotAnswer("no_id")
        return carrier_id

    async def send_many(self, texts: Sequence[TextOut]) -> list[str | SendError]:
        """Hand over up to `most_at_once` texts in one request; without an answer each of them may have left."""
        if len(texts) > self.most_at_once:
            raise ValueError(f"not more than {self.most_at_once} texts at once")
        if not texts:
            return []
        try:
            answer = await self._call("POST", f"{self._path}/many", json={"texts": [_form(text) for text in texts]})
        except SendError as error:
            return [type(error)(error.code) for _ in texts]
        answers = answer.get("answers")
        if not isinstance(answers, list) or len(answers) != len(texts):
            return [CarrierDidNotAnswer("unreadable_answer") for _ in texts]
        return [_outcome(each) for each in answers]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise CarrierIsBusy("no_connection") from None
        except httpx.HTTPError:
            raise CarrierDidNotAnswer("no_answer") from None
        return _read_answer(answer)


def _form(text: TextOut) -> dict[str, str | int | float | None]:
    validity = None if text.validity is None else max(text.validity.total_seconds(), 1.0)
    return {"to": text.to, "body": text.body, "reference": text.reference, "validity": validity}


def _outcome(answer: Any) -> str | SendError:
    """A text's part of an answer for many."""
    if isinstance(answer, dict) and isinstance(answer.get("id"), str):
        return str(answer["id"])
    if not isinstance(answer, dict):
        return CarrierDidNotAnswer("no_id")
    code = str(answer.get("code", ""))
    return REFUSALS.get(code, CarrierDidNotAnswer)(_detail(answer) or code or "no_id")


def _detail(answer: dict[str, Any]) -> str:
    found = answer.get("detail")
    return found[:40] if isinstance(found, str) else ""


def _read_answer(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CarrierDidNotAnswer(str(answer.status_code))
    if answer.is_success:
        return content
    code = str(content.get("code", ""))
    if code in REFUSALS:
        raise REFUSALS[code](_detail(content) or code)
    if answer.status_code in (429, 503):
        raise CarrierIsBusy(str(answer.status_code))
    if answer.status_code >= 500:
        raise CarrierDidNotAnswer(str(answer.status_code))
    raise CarrierRefused(str(answer.status_code))
