"""Post offices: a small IMAP server (RFC 3501) on a real socket, with one mailbox and a few faults."""

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
USER, PASSWORD = "bounces", 'pass"wörd'
_SET = re.compile(r"\((.*)\)")
_PARTIAL = re.compile(r"BODY\.PEEK\[\]<0\.(\d+)>")


@dataclass
class Stored:
    """One message of the mailbox."""

    content: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class PostOffice:
    """The server and what lies in it. A command in `faults` breaks the connection so often."""

    messages: dict[int, Stored] = field(default_factory=dict)
    capabilities: str = "IMAP4rev1 AUTH=PLAIN UIDPLUS"
    folder: str = '"INBOX"'
    faults: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    silent: bool = False
    encryption: ssl.SSLContext | None = None
    """What STARTTLS begins."""
    port: int = 0

    def put(self, content: bytes) -> int:
        number = max(self.messages, default=0) + 1
        self.messages[number] = Stored(content)
        return number

    @property
    def unseen(self) -> list[int]:
        return [number for number, each in self.messages.items() if r"\Seen" not in each.flags]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(f"* OK [CAPABILITY {self.capabilities}] ready\r\n".encode())
            while line := (await reader.readline()).decode():
                tag, _, rest = line.rstrip("\r\n").partition(" ")
                if not await self._answer(reader, writer, tag, rest):
                    return
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str, rest: str
    ) -> bool:
        name = " ".join(rest.upper().split()[: 2 if rest.upper().startswith("UID") else 1])
        self.log.append(name)
        if self.faults.get(name):
            self.faults[name] -= 1
            return False
        if self.silent:
            return True
        if name == "AUTHENTICATE":
            writer.write(b"+ \r\n")
            rest = b64decode(await reader.readline()).decode()
        status, lines = self._do(name, rest)
        writer.write(b"".join(line + b"\r\n" for line in lines))
        writer.write(f"{tag} {status} done\r\n".encode())
        if name == "STARTTLS" and self.encryption:
            await writer.start_tls(self.encryption)
        return name != "LOGOUT"

    def _do(self, name: str, rest: str) -> tuple[str, list[bytes]]:
        """Return the status of a command and its untagged lines."""
        refusals = {
            "AUTHENTICATE": rest != f"\0{USER}\0{PASSWORD}",
            "LOGIN": rest != f'LOGIN {USER} "plain"',
            "SELECT": rest != f"SELECT {self.folder}",
        }
        answers: dict[str, Callable[[], list[bytes]]] = {
            "CAPABILITY": lambda: [f"* CAPABILITY {self.capabilities}".encode()],
            "SELECT": lambda: [b"* 1 EXISTS"],
            "UID SEARCH": lambda: [f"* SEARCH {' '.join(map(str, self.unseen))}".rstrip().encode()],
            "UID FETCH": lambda: self._fetch(rest),
            "UID STORE": lambda: self._store(rest),
            "UID EXPUNGE": lambda: self._expunge({int(rest.split()[2])}),
            "EXPUNGE": lambda: self._expunge(set(self.messages)),
            "LOGOUT": lambda: [b"* BYE"],
        }
        return ("NO", []) if refusals.get(name) else ("OK", answers.get(name, list)())

    def _store(self, rest: str) -> list[bytes]:
        found, given = self.messages.get(int(rest.split()[2])), _SET.search(rest)
        if found and given:
            found.flags |= set(given[1].split())
        return []

    def _fetch(self, rest: str) -> list[bytes]:
        found, partial = self.messages.get(int(rest.split()[2])), _PARTIAL.search(rest)
        if found is None or partial is None:
            return []
        content = found.content[: int(partial[1])]
        head = f"* 1 FETCH (UID {rest.split()[2]} BODY[]<0> {{{len(content)}}}"
        return [head.encode(), content + b")"]

    def _expunge(self, numbers: set[int]) -> list[bytes]:
        for number in numbers & set(self.messages):
            if r"\Deleted" in self.messages[number].flags:
                del self.messages[number]
        return []


@asynccontextmanager
async def open_office(office: PostOffice, context: ssl.SSLContext | None = None) -> AsyncIterator[PostOffice]:
    """Let the post office answer on a port of its own while the block runs."""
    server = await asyncio.start_server(office.serve, HOST, office.port, ssl=context)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
