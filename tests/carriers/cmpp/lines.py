"""What tests of the session share: an account, texts, a make-believe gateway with a session at it, and a bare peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sms_gateway.carriers.cmpp import codec, ids
from sms_gateway.carriers.cmpp.answers import SubmitAnswer
from sms_gateway.carriers.cmpp.pdus import Connect, ConnectResp, Deliver, Frame, Pdu, Submit, Version
from sms_gateway.carriers.cmpp.session import Account, Limits, Session
from sms_gateway.simulator.cmpp.faults import WireFaults
from sms_gateway.simulator.cmpp.gateway import Client, CmppGateway

SOURCE, SECRET, ACCESS = "901234", "test1234", "106900000001"
QUICK = Limits(
    answer_seconds=2.0,
    idle_seconds=30.0,
    doubt_seconds=1.0,
    connect_seconds=2.0,
    reconnect_least=0.02,
    reconnect_most=0.2,
)


def text_to(tail: int, content: str = "您好", **other: object) -> Submit:
    made = {
        "service_id": "PUBSVC",
        "msg_src": SOURCE,
        "src_id": ACCESS,
        "content": content.encode("utf-16-be"),
        **other,
    }
    return Submit(destinations=(number(tail),), **made)  # type: ignore[arg-type]  # a test's own fields


def number(tail: int) -> str:
    return f"1380000{tail:04d}"


@dataclass
class Line:
    """A session at a gateway, and what it was told."""

    gateway: CmppGateway
    session: Session
    port: int
    delivered: list[Deliver] = field(default_factory=list)
    late: list[tuple[int, SubmitAnswer]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def reports(self) -> list[Deliver]:
        return [each for each in self.delivered if each.report is not None]


def account(port: int, **other: object) -> Account:
    return Account("127.0.0.1", port, SOURCE, SECRET, **other)  # type: ignore[arg-type]  # a test's own fields


@asynccontextmanager
async def line(
    limits: Limits = QUICK,
    *,
    faults: WireFaults | None = None,
    on_deliver: Callable[[Deliver], None] | None = None,
    resend_seconds: float = 60.0,
    most_connections: int = 16,
    up: bool = True,
    **of_account: object,
) -> AsyncIterator[Line]:
    """A gateway and a session that is logged in there; `up` False: it is not waited for."""
    gateway = CmppGateway(
        Client(SOURCE, SECRET, "1069", most_connections=most_connections), faults=faults, resend_seconds=resend_seconds
    )
    port = await gateway.start()

    async def store(deliver: Deliver) -> None:
        if on_deliver is not None:
            on_deliver(deliver)
        made.delivered.append(deliver)

    def say(event: str, **_ids: object) -> None:
        made.said.append(event)

    session = Session(
        account(port, **of_account),
        limits,
        on_deliver=store,
        on_late=lambda reference, answer: made.late.append((reference, answer)),
        on_event=say,
    )
    made = Line(gateway, session, port)
    await session.start()
    try:
        if up:
            assert await session.wait_until_up(within=5)
        yield made
    finally:
        await session.close(within=0.2)
        await gateway.close()


async def until(true: Callable[[], bool], *, within: float = 5.0) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)


class Peer:
    """A gateway's side without any sense: it lets everybody in, keeps what comes, and writes what it is told to."""

    def __init__(self, version: Version = Version.V3) -> None:
        self.version = version
        self.frames: list[Frame] = []
        self.logins = 0
        self.writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.port = 0
        self.first = self.last = b""
        """Written right before and right after the welcome."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self.writers:
            writer.close()

    def write(self, pdu: Pdu | bytes, sequence: int = 1) -> None:
        data = pdu if isinstance(pdu, bytes) else codec.encode(pdu, sequence=sequence, version=self.version)
        self.writers[-1].write(data)

    def of(self, kind: type[Pdu]) -> list[Frame]:
        return [frame for frame in self.frames if isinstance(frame.pdu, kind)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        splitter = codec.Splitter()
        while data := await reader.read(4096):
            for raw in splitter.feed(data):
                frame = codec.decode(raw, version=self.version)
                self.frames.append(frame)
                if isinstance(frame.pdu, Connect):
                    self.logins += 1
                    proof = ids.gateway_authenticator(
                        status=0,
                        source_authenticator=frame.pdu.authenticator,
                        shared_secret=SECRET,
                        version=self.version,
                    )
                    welcome = codec.encode(
                        ConnectResp(0, proof, self.version), sequence=frame.sequence, version=self.version
                    )
                    self.write(self.first + welcome + self.last)


@asynccontextmanager
async def at_a_peer(limits: Limits = QUICK) -> AsyncIterator[tuple[Peer, Session, list[Deliver]]]:
    """A bare peer with a session that is logged in there, and what the session was brought."""
    peer, delivered = Peer(), []
    await peer.start()

    async def store(deliver: Deliver) -> None:
        delivered.append(deliver)

    session = Session(account(peer.port), limits, on_deliver=store)
    await session.start()
    try:
        assert await session.wait_until_up(within=5)
        yield peer, session, delivered
    finally:
        await session.close(within=0.1)
        await peer.close()
