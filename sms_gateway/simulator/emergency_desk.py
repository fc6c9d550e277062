"""A make-believe emergency desk: takes incidents over the same signed linkage as a real one, and answers as it is told to.

GET  /desk                                         its page
POST /simulator/desk/incidents                     an incident of ours, signed
GET  /simulator/desk                               what it has, newest first, and its mood
GET  /simulator/desk/places                        whose desk it may be
POST /simulator/desk/mood/{mood}                   `accepts`, `slow`, `refuses`, `hangs` or `loses` (says nothing useful)
POST /simulator/desk/incidents/{reference}/{state} let it tell us, by its own signed webhook
POST /simulator/desk/matters                       let it hand us a matter that is no emergency, signed
POST /simulator/desk/incidents/updates             news of an incident it has from us, signed
POST /simulator/desk/incidents/matters             what became of such a matter, told by us, signed

All in this process's memory, for this machine's own user only; absent in production.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field

from sms_gateway import clock, regions
from sms_gateway.bridge.choosing import PROVINCE, SERVICES
from sms_gateway.bridge.incident import read
from sms_gateway.errors import NotFound
from sms_gateway.platforms import general, linkage
from sms_gateway.settings import get_settings

from .door import only_loopback

router = APIRouter(dependencies=[Depends(only_loopback)], include_in_schema=False)
PAGE = Path(__file__).with_name("desk.html")
KEPT = 200
SLOW_SECONDS = 6.0
HANGS_SECONDS = 30.0
Mood = Literal["accepts", "slow", "refuses", "hangs", "loses"]


class MatterForm(BaseModel):
    """The page's form. Nothing is checked here: our own door is to do that."""

    desk: str = Field(max_length=40)
    number: str = ""
    what: str = ""
    place: str = ""
    child: str = ""
    caller: str = ""
    phone: str = ""
    kind: str = "help"


class Desk:
    """What it has, by our reference, and how it behaves."""

    def __init__(self) -> None:
        self.mood: Mood = "accepts"
        self.incidents: dict[str, dict[str, Any]] = {}
        self.matters: dict[str, dict[str, Any]] = {}
        """What it handed to us, by its own number."""

    def take(self, said: dict[str, Any]) -> dict[str, Any]:
        """Keep an incident; the same again is the same."""
        made = self.incidents.setdefault(
            said["reference"], {**said, "receipt": None, "state": "new", "at": clock.now().isoformat(), "tries": 0}
        )
        made["tries"] += 1
        for oldest in list(self.incidents)[:-KEPT]:
            del self.incidents[oldest]
        return made


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.__dict__.setdefault("emergency_desk", Desk())
    return found


@router.get("/desk")
async def show_page() -> FileResponse:
    return FileResponse(PAGE, headers={"Cache-Control": "no-cache"})


@router.post("/simulator/desk/incidents")
async def take(request: Request) -> JSONResponse:
    """An incident: answered as the mood is."""
    body = await request.body()
    general.check_signature(linkage.make_believe_secret(get_settings()), request.headers, body)
    desk = _desk(request)
    if desk.mood == "loses":
        return JSONResponse({"ok": True})
    incident = desk.take(json.loads(body))
    if desk.mood in ("slow", "hangs"):
        await asyncio.sleep(SLOW_SECONDS if desk.mood == "slow" else HANGS_SECONDS)
    if desk.mood == "refuses":
        incident["state"] = "refused"
        return JSONResponse({"reason": "家务事，不归我们管"}, status_code=422)
    if desk.mood == "hangs":
        return JSONResponse({}, status_code=503)
    incident["receipt"] = incident["receipt"] or f"JQ{secrets.randbelow(10**10):010}"
    if incident["state"] == "new":
        incident["state"] = "accepted"
    return JSONResponse({"receipt": incident["receipt"]}, status_code=201)


@router.post("/simulator/desk/incidents/matters")
async def hear_status(request: Request) -> dict[str, bool]:
    """What became of a matter it handed to us."""
    body = await request.body()
    general.check_signature(linkage.make_believe_secret(get_settings()), request.headers, body)
    said = json.loads(body)
    matter = _desk(request).matters.get(said["number"])
    if matter is not None:
        matter["state"] = said["state"]
    return {"ok": True}


@router.get("/simulator/desk/places")
async def list_places() -> dict[str, Any]:
    """Whose desk it may be: services, and prefectures with the province, the first one first."""
    places = [PROVINCE, *(one.adcode for one in regions.list_regions("prefecture"))]
    return {"services": SERVICES, "places": [{"adcode": code, "name": regions.full_name(code)} for code in places]}


@router.post("/simulator/desk/incidents/updates")
async def hear_news(request: Request) -> JSONResponse:
    """News of an incident it has: a better place, child seen, false alarm. Of one it does not know it says 404."""
    body = await request.body()
    general.check_signature(linkage.make_believe_secret(get_settings()), request.headers, body)
    said = json.loads(body)
    incident = _desk(request).incidents.get(said["reference"])
    if incident is None:
        raise NotFound
    incident.setdefault("news", {})[request.headers["webhook-id"]] = {"state": said["state"], "words": said["words"]}
    return JSONResponse({"ok": True})


@router.get("/simulator/desk")
async def show(request: Request) -> dict[str, Any]:
    """The mood, and what it has, newest first, with the six facts named."""
    desk = _desk(request)
    found = [{**one, "facts": read(one["incident"]).facts} for one in reversed(desk.incidents.values())]
    return {"mood": desk.mood, "incidents": found, "matters": list(reversed(desk.matters.values()))}


@router.post("/simulator/desk/mood/{mood}")
async def set_mood(request: Request, mood: Mood) -> dict[str, str]:
    """How it answers from now on."""
    _desk(request).mood = mood
    return {"mood": mood}


@router.post("/simulator/desk/incidents/{reference}/{state}")
async def tell(request: Request, reference: str, state: linkage.Told) -> JSONResponse:
    """Let it tell us of an incident; what our door answered."""
    incident = _desk(request).incidents.get(reference)
    if incident is None:
        raise NotFound
    incident["receipt"] = incident["receipt"] or f"JQ{secrets.randbelow(10**10):010}"
    said = {"reference": reference, "state": state, "receipt": incident["receipt"], "words": WORDS.get(state)}
    answer = await _post(f"/platforms/linkage/{incident['desk']}", said)
    if answer.is_success:
        incident["state"] = state
    return JSONResponse(answer.json(), status_code=answer.status_code)


@router.post("/simulator/desk/matters")
async def hand_matter(request: Request, matter: MatterForm) -> JSONResponse:
    """Let it hand us a matter that is no emergency; what our door answered."""
    said = matter.model_dump()
    desk, number = said.pop("desk"), said.pop("number") or f"ZJ{secrets.randbelow(10**10):010}"
    answer = await _post(f"/platforms/linkage/{desk}/matters", {"number": number, **said})
    if answer.is_success:
        kept = _desk(request).matters
        kept.setdefault(
            number, {"desk": desk, "number": number, **said, "state": "taken", "at": clock.now().isoformat()}
        )
        kept[number]["ticket"] = answer.json()["ticket"]
        for oldest in list(kept)[:-KEPT]:
            del kept[oldest]
    return JSONResponse({"number": number, **answer.json()}, status_code=answer.status_code)


async def _post(path: str, said: dict[str, Any]) -> httpx.Response:
    """To our own door, signed as a real desk would sign."""
    body = json.dumps(said, ensure_ascii=False).encode()
    secret, at = linkage.make_believe_secret(get_settings()), datetime.fromtimestamp(clock.wall_seconds(), UTC)
    headers = general.signed(secret, uuid4().hex, body, at=at)
    async with httpx.AsyncClient(base_url=get_settings().gateway_url, timeout=10, trust_env=False) as http:
        return await http.post(path, content=body, headers=headers)


WORDS = {
    "dispatched": "已派最近的派出所", "arrived": "民警到场", "child_seen": "民警说见到孩子了", "refused": "家务事，不归我们管",
    "lost_contact": "敲门没人应，电话打不通", "returned": "不是警情，请 12345 办", "concluded": "处置完毕",
}  # fmt: skip
