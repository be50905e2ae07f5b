"""Fetches: the one way in which we open an address that somebody wrote down.

Whoever may write a link must not make us look behind our own walls: https only, no private network, and
the address that was looked up and checked is the very one that is connected to, at each redirect anew.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import httpx

MOST_REDIRECTS = 5
PATIENCE = 5.0
"""Seconds for one question and its answer, from looking up the host to the last header line."""
MOST_BODY = 1024
"""Octets that are asked for at most; none of them is read."""
_NOT_FOR_US = [
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared between customers of one carrier (RFC 6598)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # relays to IPv6 (RFC 7526)
        "::/96",  # IPv4 in IPv6, long retired (RFC 4291)
        "64:ff9b::/96",  # translated to any IPv4 address, private ones too (RFC 6052)
        "64:ff9b:1::/48",  # the same, locally (RFC 8215)
        "2001::/32",  # Teredo tunnels to IPv4 (RFC 4380)
        "2002::/16",  # tunnels to IPv4 (RFC 3056)
        "fec0::/10",  # site-local, long retired (RFC 3879)
    )
]

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks up a host's addresses; raises `socket.gaierror` when it cannot."""
_NOW_UNKNOWN = (socket.EAI_AGAIN, socket.EAI_FAIL)
"""The servers that know names are out of reach: nothing is said about the host."""


class Refused(Exception):
    """An address that is not opened; `is_final` when readers could not open it either."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        """Say why."""
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to the public internet."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.is_multicast or not parsed.is_global:
        return False
    return not any(parsed in network for network in _NOT_FOR_US)


async def look_up(host: str, port: int) -> list[str]:
    """Return a host's addresses as the system knows them, the best one first."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicDoor(httpx.AsyncBaseTransport):
    """A transport that looks a host up, checks all its addresses and connects to one of those."""

    def __init__(
        self,
        *,
        resolve: Resolver = look_up,
        may_reach: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take what tests stand in for: names, the rule for addresses, the trusted certificates."""
        self._resolve = resolve
        self._may_reach = may_reach
        # Connections are told apart by address, so one that is kept could answer for another host.
        self._network = httpx.AsyncHTTPTransport(
            verify=tls or httpx.create_ssl_context(),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises `Refused` for an address that is not to be opened."""
        addresses = await self._checked(request.url)
        for address in addresses[:-1]:
            try:
                return await self._network.handle_async_request(_aimed(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # the host has another address
        return await self._network.handle_async_request(_aimed(request, addresses[-1]))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._network.aclose()

    async def _checked(self, url: httpx.URL) -> Sequence[str]:
        if url.scheme != "https":
            raise Refused(f"it leads on to {url.scheme}:// instead of https://", is_final=False)
        addresses = await self._looked_up(_name(url), url.port or 443)
        if not all(self._may_reach(address) for address in addresses):
            raise Refused("it leads to a private network", is_final=True)
        return addresses

    async def _looked_up(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except socket.gaierror as error:
            if error.errno in _NOW_UNKNOWN:
                raise Refused("its host cannot be looked up now", is_final=False) from None
            raise Refused("there is no such host", is_final=True) from None
        if not addresses:
            raise Refused("there is no such host", is_final=True)
        return addresses


async def status_of(client: httpx.AsyncClient, page: str, patience: float = PATIENCE) -> int:
    """Return what a page answers in the end: asked for its headers, and if they refuse, for itself.

    `patience` is in seconds, for each step. Raises `Refused`, `TimeoutError` and what httpx raises.
    """
    status = await _follow(client, client.build_request("HEAD", page), patience)
    if status < 400:
        return status
    headers = {"Range": f"bytes=0-{MOST_BODY - 1}"}
    status = await _follow(client, client.build_request("GET", page, headers=headers), patience)
    return 200 if status == 416 else status  # an empty page has no first octet


async def _follow(client: httpx.AsyncClient, request: httpx.Request, patience: float) -> int:
    for _ in range(MOST_REDIRECTS + 1):
        async with asyncio.timeout(patience):
            response = await client.send(request, stream=True)
            await response.aclose()
        if response.next_request is None:
            return response.status_code
        request = response.next_request
    raise Refused(f"it leads on more than {MOST_REDIRECTS} times", is_final=True)


def _aimed(request: httpx.Request, address: str) -> httpx.Request:
    """Return the request to an address; the host stays in its Host header and in the certificate's check."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": _name(request.url)},
    )


def _name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")
