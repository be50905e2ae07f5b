"""Link checks: where links lead, what they are called, and whether anybody is there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from domain.languages import Language
from domain.projects import Project
from mailer import link_checks
from mailer.findings import Severity
from mailer.link_checks import LinkChecker, Trouble, check_names, check_own_address, check_targets
from mailer.messages import Stationery
from tests.mailer.proofing import prove, said
from tests.mailer.websites import Page, Website, served

GOOD, OTHER, INSIDE = "good.example.org", "other.example.org", "inside.example.org"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with served(tmp_path, [GOOD, OTHER]) as site:
        yield site


def _checker(site: Website) -> LinkChecker:
    return LinkChecker(site.door(), agent="Helixpost (+https://intra.eu)", rest=0, patience=1)


@pytest.mark.parametrize(
    ("target", "codes"),
    [
        ("https://www.europa.eu/", []),
        ("mailto:team@europa.eu", []),
        ("tg://resolve?domain=intra", []),
        ("{{ project.website }}", ["placeholder_link"]),
        ("{{ preferences_url }}", []),
        ("https://intra.example.org/events", []),
        ("http://www.europa.eu/", ["insecure_link"]),
        ("HTTP://www.europa.eu/", ["insecure_link"]),
        ("https://example.com/x", ["placeholder_link"]),
        ("https://www.example.org/x", ["placeholder_link"]),
        ("http://localhost:8080/x", ["placeholder_link"]),
        ("https://127.0.0.1/x", ["placeholder_link"]),
        ("https://192.168.1.5/x", ["placeholder_link"]),
        ("https://[::1]/x", ["placeholder_link"]),
        ("https://our.test/x", ["placeholder_link"]),
        ("https://", ["placeholder_link"]),
        ("https://a.eu:port/", ["placeholder_link"]),
        ("#", ["placeholder_link"]),
        ("", ["placeholder_link"]),
        ("www.europa.eu", ["placeholder_link"]),
        ("//www.europa.eu/", ["placeholder_link"]),
        ("https://notexample.com/", []),
        ("https://8.8.8.8/", []),
    ],
)
def test_a_link_leads_somewhere_and_is_encrypted(
    stationery: Stationery, project: Project, target: str, codes: list[str]
) -> None:
    proof = prove(stationery, project, f"[the results]({target})")
    assert [finding.code for finding in check_targets(proof)] == codes


def test_an_image_is_held_to_the_same_and_each_address_is_told_once(
    stationery: Stationery, project: Project
) -> None:
    proof = prove(
        stationery,
        project,
        "![A map](http://www.europa.eu/map.png) {% if subscriber.country == 'PT' %}"
        "[a](http://www.europa.eu/a) [b](http://www.europa.eu/a){% endif %}",
    )
    assert said(check_targets, proof) == [
        "warning insecure_link en html: "
        f"the address http://www.europa.eu/{name} is not encrypted, and programs warn of it"
        for name in ("a", "map.png")
    ]


@pytest.mark.parametrize(
    ("language", "words", "is_vague"),
    [
        ("en", "click here", True),
        ("en", "Read more…", True),
        ("en", "more on the voucher", False),
        ("sl", "Tukaj", True),
        ("sl", "click here", True),
        ("en", "tukaj", False),
        ("bg", "тук", True),
        ("es", "aquí", True),
        ("pt", "clique aqui", True),
        ("it", "qui", True),
    ],
)
def test_a_link_says_where_it_leads(
    stationery: Stationery, project: Project, language: str, words: str, is_vague: bool
) -> None:
    body = f"[{words}](https://www.europa.eu/)"
    proof = prove(stationery, project, body, language=Language(language))
    assert [finding.code for finding in check_names(proof)] == ["vague_link"] * is_vague


def test_the_same_words_lead_to_the_same_place(stationery: Stationery, project: Project) -> None:
    one, two = "[Results](https://a.europa.eu/)", "[results](https://b.europa.eu/)"
    assert said(check_names, prove(stationery, project, f"{one} {one}")) == []
    told = said(check_names, prove(stationery, project, f"{one} {two}"))
    assert set(told) == {
        "warning same_words en html: “results” leads to https://a.europa.eu/ and to https://b.europa.eu/"
    }
    either = f"{{% if subscriber.first_name %}}{one}{{% else %}}{two}{{% endif %}}"
    assert said(check_names, prove(stationery, project, either)) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://news.intra.eu", []),
        ("http://news.intra.eu", ["mail programs leave with https only"]),
        ("http://127.0.0.1:8080", ["which readers cannot open"]),
        ("https://intra.example.org", ["which readers cannot open"]),
    ],
)
def test_our_own_links_work_for_everybody(url: str, told: list[str]) -> None:
    found = list(check_own_address(url))
    assert [(finding.code, finding.message.rpartition(told[0])[1]) for finding in found] == [
        ("own_address", words) for words in told
    ]


async def test_links_that_work_give_no_trouble_and_are_asked_for_once(site: Website) -> None:
    site.pages |= {"/a": Page(), "/b": Page(302, location="/a")}
    urls = [site.url(GOOD, "/a"), site.url(GOOD, "/b"), site.url(OTHER, "/a"), site.url(GOOD, "/a")]
    assert await _checker(site).ask(urls) == {}
    assert sorted((visit.server_name, visit.path) for visit in site.visits) == [
        (GOOD, "/a"), (GOOD, "/a"), (GOOD, "/b"), (OTHER, "/a"),
    ]  # fmt: skip


async def test_every_trouble_is_told_as_what_it_is(site: Website) -> None:
    site.addresses[INSIDE] = ["10.0.0.1"]
    site.pages |= {
        "/gone": Page(410),
        "/busy": Page(503),
        "/silent": Page(is_silent=True),
        "/plain": Page(302, location="http://www.europa.eu/"),
        "/broken": Page(302, location="https://a.eu:port/"),
    }
    sure, unsure = Severity.ERROR, Severity.WARNING
    expected = {
        site.url(GOOD, "/none"): Trouble(sure, "it answers 404"),
        site.url(GOOD, "/gone"): Trouble(sure, "it answers 410"),
        site.url(GOOD, "/busy"): Trouble(unsure, "it answers 503"),
        site.url(OTHER, "/silent"): Trouble(unsure, "nobody answered in time"),
        site.url(GOOD, "/plain"): Trouble(unsure, "it leads on to http:// instead of https://"),
        site.url(GOOD, "/broken"): Trouble(unsure, "the connection failed"),
        site.url(INSIDE, "/x"): Trouble(sure, "it leads to a private network"),
        "https://nowhere.example.org/": Trouble(sure, "there is no such host"),
        "https://a.eu:port/": Trouble(sure, "it is no address"),
        site.url("third.example.org", "/x"): Trouble(unsure, "its certificate is not valid"),
    }
    assert await _checker(site).ask(expected) == expected


async def test_one_host_is_asked_one_thing_at_a_time_and_five_hosts_side_by_side() -> None:
    class Door(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.present: list[str] = []
            self.most, self.most_of_one = 0, 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.present.append(request.url.host)
            self.most = max(self.most, len(self.present))
            self.most_of_one = max(self.most_of_one, self.present.count(request.url.host))
            for _ in range(20):
                await asyncio.sleep(0)
            self.present.remove(request.url.host)
            return httpx.Response(200)

    door = Door()
    urls = [f"https://host{host}.eu/{page}" for page in range(3) for host in range(9)]
    assert await LinkChecker(door, agent="x", rest=0).ask(urls) == {}
    assert (door.most, door.most_of_one) == (link_checks.AT_ONCE, 1)


def test_trouble_with_a_link_is_told_where_the_link_stands(stationery: Stationery, project: Project) -> None:
    dead, slow, fine = "https://a.europa.eu/", "https://b.europa.eu/", "https://c.europa.eu/"
    proof = prove(
        stationery,
        project,
        f"[one]({dead}) [two]({slow}) [three]({fine}) [four](http://d.europa.eu/) "
        "[leave]({{ unsubscribe_url }})",
    )
    assert link_checks.pages(proof) == [dead, slow, fine]
    troubles = {
        dead: Trouble(Severity.ERROR, "it answers 404"),
        slow: Trouble(Severity.WARNING, "it answers 503"),
        "https://elsewhere.eu/": Trouble(Severity.ERROR, "it answers 404"),
    }
    assert [
        (finding.severity, finding.code, finding.message) for finding in link_checks.findings(proof, troubles)
    ] == [
        ("error", "dead_link", f"the link {dead} is dead: it answers 404"),
        ("warning", "unsure_link", f"the link {slow} could not be checked: it answers 503"),
    ]
