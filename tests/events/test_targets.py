"""Where a push may go, and where it may not, however the place is written."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway import clock
from sms_gateway.events.sending import Sender
from sms_gateway.events.targets import Allowed, TargetNotAllowed, check_address, check_target, read_url
from sms_gateway.settings import Settings
from tests.events.subscriber import listening

NOTHING = Allowed()


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.cn/hook",
        "ftp://push.example.cn/",
        "https:///hook",
        "push.example.cn/hook",
        "https://user:word@push.example.cn/",
        "https://push.example.cn\\@10.0.0.1/",
        "https://push.example.cn/\nx",
        "https://127.0.0.1/",
        "https://localhost.:443@127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:a00:1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[::7f00:1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.100.100.200/",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://１２７.0.0.1/",
        "https://[",
        "https://push.example.cn:99999/",
    ],
)
def test_these_are_refused(url: str) -> None:
    with pytest.raises(TargetNotAllowed):
        check_target(read_url(url), NOTHING)


@pytest.mark.parametrize(
    "url", ["https://push.example.cn/hook?a=1", "https://8.8.8.8:8443/", "https://[2400:3200::1]/", "https://推送.cn/"]
)
def test_these_may_be_looked_up_or_connected_to(url: str) -> None:
    check_target(read_url(url), NOTHING)


def test_an_administrator_lets_single_places_through() -> None:
    allowed = Allowed.parse("10.20.0.0/16, intra.yn.gov:8443, 127.0.0.1:9000, [fd00::5]:443")
    check_target(read_url("https://10.20.3.4/"), allowed)
    check_target(read_url("http://127.0.0.1:9000/"), allowed)
    check_target(read_url("https://[fd00::5]/"), allowed)
    check_address("intra.yn.gov", 8443, "192.168.7.7", allowed)
    for url in ("https://10.21.0.1/", "http://127.0.0.1:9001/", "http://10.20.3.4/", "http://intra.yn.gov:8443/"):
        with pytest.raises(TargetNotAllowed):
            check_target(read_url(url), allowed)
    with pytest.raises(TargetNotAllowed):
        check_address("intra.yn.gov", 443, "192.168.7.7", allowed)


@pytest.mark.parametrize("words", ["10.0.0.0/33", "host:port", "10.0.0.1/8", ":80"])
def test_a_setting_that_cannot_be_read_ends_the_start_with_a_sentence(words: str) -> None:
    with pytest.raises(ValueError, match="HOTLINE_PUSH_PRIVATE_TARGETS"):
        Settings(push_private_targets=words)
    with pytest.raises(ValueError):
        Allowed.parse(words)


@given(st.ip_addresses())
def test_no_address_outside_the_public_internet_passes(address: object) -> None:
    try:
        check_address("host.example", 443, str(address), NOTHING)
    except TargetNotAllowed:
        return
    assert address.is_global and not address.is_multicast


@given(st.text(max_size=80) | st.text(max_size=60).map("https://".__add__))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        check_target(read_url(text), NOTHING)
    except TargetNotAllowed:
        return


class Names(AbstractResolver):
    """Says what it is told, one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[dict[str, object]]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0} for each in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"]])
async def test_a_name_that_points_inside_is_refused_after_the_look_up(addresses: list[str]) -> None:
    sender = Sender(NOTHING, resolver=Names(addresses), within=2)
    answer = await sender.post("https://push.example.cn/hook", headers={}, body=b"{}")
    await sender.close()
    assert answer.status == "not_allowed"


async def test_a_name_that_changes_after_the_check_gains_nothing() -> None:
    """The connection goes to the address that was checked: the look-up is asked once for it."""
    names = Names(["192.0.2.1"], ["127.0.0.1"])
    sender = Sender(Allowed.parse("192.0.2.0/24"), resolver=names, within=0.5)
    answer = await sender.post("https://push.example.cn/hook", headers={}, body=b"{}")
    assert answer.status in ("timeout", "unreachable") and names.answers == [["127.0.0.1"]]
    answer = await sender.post("https://push.example.cn/hook", headers={}, body=b"{}")
    await sender.close()
    assert answer.status == "not_allowed"


async def test_https_needs_a_certificate_for_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = _certificate(tmp_path, "push.example.cn")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    allowed = Allowed.parse("127.0.0.1, push.example.cn, other.example.cn")
    async with listening(context) as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
        for host, trusted, status in (
            ("push.example.cn", False, "unreachable"), ("push.example.cn", True, "204"), ("other.example.cn", True, "unreachable"),
        ):  # fmt: skip
            sender = Sender(
                allowed, resolver=Names(["127.0.0.1"]), within=2, ca_file=str(certificate) if trusted else None
            )
            answer = await sender.post(f"https://{host}:{port}/hook", headers={}, body=b"{}")
            await sender.close()
            assert answer.status == status, host
    assert len(server.got) == 1


def _certificate(folder: Path, name: str) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = clock.now()
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path
