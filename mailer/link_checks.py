"""Link checks: where a letter's links lead, what they are called and, if asked, whether they work."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from domain.languages import Language
from mailer import fetches
from mailer.fetches import Refused
from mailer.findings import Code, Finding, Part, Place, Severity, error, warning
from mailer.proofs import Proof
from wording import markdown

AT_ONCE = 5
"""Hosts that are asked at the same time; each is asked for one page after the other."""
REST = 0.5
"""Seconds between two questions to the same host."""
_GONE = (404, 410)
_SCHEMES = tuple(f"{scheme}:" for scheme in markdown.SCHEMES)
_RESERVED = ("example", "invalid", "localhost", "test", "example.com", "example.net", "example.org")
"""Names that never lead anywhere (RFC 2606, RFC 6761)."""
_VAGUE: Mapping[Language, tuple[str, ...]] = {
    Language.ENGLISH: ("click here", "here", "click", "link", "this link", "more", "read more"),
    Language.SLOVENIAN: ("kliknite tukaj", "klikni tukaj", "tukaj", "tu", "povezava", "več", "preberi več"),
    Language.BULGARIAN: ("кликнете тук", "натиснете тук", "тук", "връзка", "още", "повече"),
    Language.SPANISH: ("haga clic aquí", "haz clic aquí", "pulse aquí", "aquí", "enlace", "más", "leer más"),
    Language.PORTUGUESE: ("clique aqui", "aqui", "ligação", "mais", "ler mais", "leia mais"),
    Language.ITALIAN: ("clicca qui", "fare clic qui", "qui", "link", "altro", "leggi", "leggi di più"),
}


def check_targets(proof: Proof) -> Iterator[Finding]:
    """See that links and images lead somewhere, and that nobody can read along."""
    place = proof.place(Part.HTML)
    for target in _targets(proof):
        if target in ("", "#"):
            told = "a link has no address, or none that can be right"
            yield warning(Code.PLACEHOLDER_LINK, place, told, "write the whole address, with https://")
        elif _is_placeholder(target):
            told = f"“{target}” leads nowhere: it is a placeholder, or lacks its https://"
            yield warning(Code.PLACEHOLDER_LINK, place, told, "write the whole address, with https://")
        elif target.lower().startswith("http:"):
            told = f"the address {target} is not encrypted, and programs warn of it"
            yield warning(Code.INSECURE_LINK, place, told, "write https://")


def check_names(proof: Proof) -> Iterator[Finding]:
    """See that a link's own words say where it leads (WCAG 2.1, 2.4.4): some hear nothing but links."""
    place, vague = proof.place(Part.HTML), {*_VAGUE[Language.ENGLISH], *_VAGUE[proof.language]}
    for link in proof.whole.links:
        if _plain(link.name) in vague:
            told = f"the link “{link.name}” does not say where it leads"
            yield warning(Code.VAGUE_LINK, place, told, "let its words name what is there")
    for view in proof.views:
        led: dict[str, str] = {}
        for link in view.links:
            if led.setdefault(_plain(link.name), link.target) != link.target and link.name:
                told = f"“{link.name}” leads to {led[_plain(link.name)]} and to {link.target}"
                yield warning(Code.SAME_WORDS, place, told, "give each link words of its own")


def check_own_address(base_url: str) -> Iterator[Finding]:
    """See that our own links work for everybody; one click to leave needs https (RFC 8058)."""
    place, cure = Place(None, Part.SETTINGS), "set [service] base_url to the public https address"
    if _is_placeholder(base_url):
        told = f"the service's own links lead to {base_url}, which readers cannot open"
        yield warning(Code.OWN_ADDRESS, place, told, cure)
    elif not base_url.startswith("https:"):
        told = f"the service's own links lead to {base_url}, and mail programs leave with https only"
        yield warning(Code.OWN_ADDRESS, place, told, cure)


CHECKS: tuple[Callable[[Proof], Iterable[Finding]], ...] = (check_targets, check_names)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a link may not work."""

    severity: Severity
    reason: str


class LinkChecker:
    """Asks for the pages that links lead to, politely and without going where nobody may."""

    def __init__(
        self,
        door: httpx.AsyncBaseTransport,
        *,
        agent: str,
        rest: float = REST,
        patience: float = fetches.PATIENCE,
    ) -> None:
        """Take the way out, the name to ask under, and the seconds between questions and for an answer."""
        self._door = door
        self._agent = agent
        self._rest = rest
        self._patience = patience

    async def ask(self, targets: Iterable[str]) -> dict[str, Trouble]:
        """Return the links among them that give trouble, each asked for once."""
        hosts: dict[str, list[str]] = {}
        for target in dict.fromkeys(targets):
            hosts.setdefault(_host(target), []).append(target)
        room = asyncio.Semaphore(AT_ONCE)
        troubles: dict[str, Trouble] = {}
        headers = {"User-Agent": self._agent}
        client = httpx.AsyncClient(transport=self._door, headers=headers, trust_env=False)
        async with client, asyncio.TaskGroup() as group:
            for pages_there in hosts.values():
                group.create_task(self._visit(client, pages_there, room, troubles))
        return troubles

    async def _visit(
        self,
        client: httpx.AsyncClient,
        pages: list[str],
        room: asyncio.Semaphore,
        troubles: dict[str, Trouble],
    ) -> None:
        async with room:
            for place, page in enumerate(pages):
                if place:
                    await asyncio.sleep(self._rest)
                if trouble := await _trouble_with(client, page, self._patience):
                    troubles[page] = trouble


def pages(proof: Proof) -> list[str]:
    """Return the pages a letter leads to; not our own, of which some are yet to come."""
    return [target for target in _targets(proof) if target.lower().startswith("https:")]


def findings(proof: Proof, troubles: Mapping[str, Trouble]) -> Iterator[Finding]:
    """Tell which of a letter's links gave trouble."""
    place = proof.place(Part.HTML)
    for target in pages(proof):
        match troubles.get(target):
            case Trouble(Severity.ERROR, reason):
                cure = "correct the address or take the link out"
                yield error(Code.DEAD_LINK, place, f"the link {target} is dead: {reason}", cure)
            case Trouble(_, reason):
                cure = "open it yourself before you send"
                yield warning(
                    Code.UNSURE_LINK, place, f"the link {target} could not be checked: {reason}", cure
                )


async def _trouble_with(client: httpx.AsyncClient, page: str, patience: float) -> Trouble | None:
    try:
        status = await fetches.status_of(client, page, patience)
    except Refused as refusal:
        return Trouble(Severity.ERROR if refusal.is_final else Severity.WARNING, refusal.reason)
    except httpx.InvalidURL:
        return Trouble(Severity.ERROR, "it is no address")
    except (TimeoutError, httpx.TimeoutException):
        return Trouble(Severity.WARNING, "nobody answered in time")
    except httpx.HTTPError as failure:
        certificate = "CERTIFICATE_VERIFY_FAILED" in str(failure)
        told = "its certificate is not valid" if certificate else "the connection failed"
        return Trouble(Severity.WARNING, told)
    if status < 400:
        return None
    return Trouble(Severity.ERROR if status in _GONE else Severity.WARNING, f"it answers {status}")


def _targets(proof: Proof) -> list[str]:
    """Return what the lead links to or shows, each once; our own pages are looked at elsewhere."""
    sought = [link.target for link in proof.whole.links] + [image.source for image in proof.whole.images]
    ours = f"{proof.base_url}/"
    return [target for target in dict.fromkeys(sought) if not f"{target}/".startswith(ours)]


def _is_placeholder(target: str) -> bool:
    if not target.lower().startswith(_SCHEMES):
        return True
    host = _host(target)
    with suppress(ValueError):
        return not fetches.is_public(str(ipaddress.ip_address(host)))
    return any(host == name or host.endswith(f".{name}") for name in _RESERVED)


def _host(target: str) -> str:
    try:
        return (urlsplit(target).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _plain(name: str) -> str:
    return name.casefold().strip(" .…:!»›→>")
