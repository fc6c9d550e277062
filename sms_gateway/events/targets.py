"""Where events may be pushed to: pure rules over a URL and over the addresses its host has. No look-up happens here.

https to addresses of the public internet. Anything else (an intranet, this machine, a cloud's metadata service) only
where HOTLINE_PUSH_PRIVATE_TARGETS names it; plain http only to this machine itself, and only when named.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from yarl import URL

from sms_gateway.errors import BadInput

Address = IPv4Address | IPv6Address

NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""Addresses that stand for IPv4 ones (RFC 6052, RFC 8215)."""


class TargetNotAllowed(BadInput):
    sentence = "这个推送地址不能用：要用 https，且不能指向内网、本机或云平台内部的地址；确需内网，请先由管理员放行。"


@dataclass(frozen=True)
class Allowed:
    """What HOTLINE_PUSH_PRIVATE_TARGETS names: hosts, hosts at one port, and networks."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, words: str) -> Allowed:
        """Read `push.example.cn:8443, 10.20.0.0/16`. Raises ValueError for a network or port that is none."""
        hosts: set[tuple[str, int | None]] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for word in filter(None, (each.strip() for each in words.split(","))):
            if "/" in word:
                networks.append(ip_network(word))
                continue
            parts = urlsplit(f"//{word}")
            if not parts.hostname:
                raise ValueError("no host")
            hosts.add((parts.hostname, parts.port))
        return cls(frozenset(hosts), tuple(networks))

    def covers(self, host: str, port: int, address: Address) -> bool:
        """Whether this private place is named."""
        named = (host.lower(), str(address))
        return any((each, at) in self.hosts for each in named for at in (port, None)) or any(
            address in network for network in self.networks
        )


@dataclass(frozen=True)
class Target:
    """A URL's host (a name in ASCII, or the literal address), port, and whether it is https."""

    host: str
    port: int
    secure: bool


@lru_cache(maxsize=1024)
def read_url(url: str) -> Target:
    """The target of `url`, read by the same parser as the client's. Raises `TargetNotAllowed` for another scheme, no host, or a login."""
    if any(letter.isspace() or not letter.isprintable() or letter == "\\" for letter in url):
        raise TargetNotAllowed
    try:
        parts = URL(url)
        host, port = parts.raw_host, parts.port
    except ValueError:
        raise TargetNotAllowed from None
    if parts.scheme not in ("https", "http") or not host or not port or parts.raw_user or parts.raw_password:
        raise TargetNotAllowed
    return Target(host, port, parts.scheme == "https")


@lru_cache(maxsize=1024)
def check_target(target: Target, allowed: Allowed) -> None:
    """What can be told before a look-up: a host written as an address, and who may do without TLS. Raises `TargetNotAllowed`."""
    try:
        address = _plain(ip_address(target.host))
    except ValueError:
        if (
            target.host.rstrip(".").rpartition(".")[2].isdigit()
        ):  # 127.1, 2130706433: some look-ups take these for addresses
            raise TargetNotAllowed from None
        address = None
    if address is not None:
        check_address(target.host, target.port, address, allowed)
    here = target.host == "localhost" if address is None else address.is_loopback
    if not target.secure and not here:
        raise TargetNotAllowed


def check_address(host: str, port: int, address: Address | str, allowed: Allowed) -> None:
    """Raises `TargetNotAllowed` unless a push to `host` may connect to `address`."""
    plain = _plain(ip_address(address) if isinstance(address, str) else address)
    public = plain.is_global and not plain.is_multicast
    if not public and not allowed.covers(host, port, plain):
        raise TargetNotAllowed


def _plain(address: Address) -> Address:
    """The IPv4 address an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and int(address) >> 32 == 0 and int(address) > 1:
        inner = IPv4Address(int(address))  # ::a.b.c.d, out of use and still understood
    return inner or address
