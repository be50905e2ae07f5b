"""Websites: an https server of a test's own, with names, their certificate, and pages that answer as told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from socket import EAI_NONAME, gaierror

from cryptography.x509 import DNSName

from mailer.fetches import PublicDoor, is_public
from tests.certificates import self_signed

HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered at a path; `is_endless` = the headers come and the body never ends."""

    status: int = 200
    location: str = ""
    head_status: int | None = None
    is_silent: bool = False
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as it arrived."""

    method: str
    path: str
    host: str
    server_name: str | None
    byte_range: str


@dataclass
class Website:
    """A server on this machine, and a name service that knows it."""

    server_tls: ssl.SSLContext
    client_tls: ssl.SSLContext
    pages: dict[str, Page] = field(default_factory=dict)
    addresses: dict[str, Sequence[str]] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    port: int = 0
    _names: dict[ssl.SSLObject | ssl.SSLSocket, str | None] = field(default_factory=dict)

    def url(self, host: str, path: str) -> str:
        """Name a page; the host leads here unless `addresses` says otherwise."""
        self.addresses.setdefault(host, [HERE])
        return f"https://{host}:{self.port}{path}"

    def door(self) -> PublicDoor:
        """Return a way out that finds this server, and otherwise knows the rules."""
        return PublicDoor(
            resolve=self.look_up,
            may_reach=lambda address: address.startswith("127.0.0.") or is_public(address),
            tls=self.client_tls,
        )

    async def look_up(self, host: str, _port: int) -> Sequence[str]:
        """Answer as a name service does."""
        with suppress(ValueError):
            return [str(ip_address(host))]
        if host not in self.addresses:
            raise gaierror(EAI_NONAME, "unknown")
        return self.addresses[host]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split("\r\n")[0].split(" ")
            await self._send(writer, self._note(writer, method, path, head), method)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _note(self, writer: asyncio.StreamWriter, method: str, path: str, head: str) -> Page:
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        named = {name.lower(): value for name, value in fields.items()}
        server_name = self._names.pop(writer.get_extra_info("ssl_object"), None)
        self.visits.append(Visit(method, path, named["host"], server_name, named.get("range", "")))
        return self.pages.get(path, Page(404))

    async def _send(self, writer: asyncio.StreamWriter, page: Page, method: str) -> None:
        if page.is_silent:
            await asyncio.Event().wait()
        status = page.head_status if method == "HEAD" and page.head_status else page.status
        location = f"Location: {page.location}\r\n" if page.location else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{location}Content-Length: 1000000\r\n\r\n".encode())
        await writer.drain()
        if page.is_endless and method == "GET":
            await asyncio.Event().wait()

    def hear_name(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        """Keep the server name that a client asks for (RFC 6066)."""
        self._names[connection] = name


@asynccontextmanager
async def served(folder: Path, hosts: Sequence[str]) -> AsyncIterator[Website]:
    """Serve a website with a certificate for those hosts while the block runs."""
    certificate = folder / "certificate.pem"
    certificate.write_bytes(self_signed([DNSName(host) for host in hosts]))
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate)
    site = Website(server_tls, ssl.create_default_context(cafile=certificate))
    server_tls.sni_callback = site.hear_name
    async with asyncio.TaskGroup() as answering:

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(answering.create_task(site.answer(reader, writer)))

        tasks: list[asyncio.Task[None]] = []
        server = await asyncio.start_server(begin, HERE, 0, ssl=server_tls)
        site.port = server.sockets[0].getsockname()[1]
        try:
            yield site
        finally:
            server.close()
            for task in tasks:
                task.cancel()
