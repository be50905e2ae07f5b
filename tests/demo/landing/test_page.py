"""The landing page over HTTP: the way through the demo, and the campaign's state."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Protocol

import httpx
import pytest
from fastapi import FastAPI

from demo.landing import Tour


class Campaign(Protocol):
    told: dict[str, object] | None

    def becomes(self, status: str, **counts: int) -> None: ...


class Words(HTMLParser):
    """The words of a page, as its reader sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)
        self.text = re.sub(r"\s+", " ", " ".join(self.found))

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of the demo, where the page is mounted at the root."""
    demo = FastAPI()
    demo.mount("/", app)
    transport = httpx.ASGITransport(app=demo)
    async with httpx.AsyncClient(transport=transport, base_url="http://demo.example") as browser:
        yield browser


async def read(visitor: httpx.AsyncClient, path: str = "/") -> str:
    answer = await visitor.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_the_page_leads_to_every_part_in_order(visitor: httpx.AsyncClient) -> None:
    page = await read(visitor)
    steps = re.findall(r"<h3>(.*?)</h3>", page)

    assert steps == [
        "Chat with the bot",
        "Subscribe to the newsletter",
        "Confirm in the inbox",
        "Watch the newsletter arrive",
        "Look at the public pages",
        "For the command line",
    ]
    for address in (
        "/chat/",
        "/inbox/",
        *(f"http://127.0.0.1:8025/{name}" for name in ("subscribe", "events")),
    ):
        assert f'href="{address}"' in page
    for name in ("archive", "privacy", "accessibility", "health"):
        assert f'href="http://127.0.0.1:8025/{name}"' in page


async def test_it_says_that_it_is_a_demo_and_nothing_leaves(visitor: httpx.AsyncClient) -> None:
    words = Words(await read(visitor)).text

    assert "This is a demo." in words
    assert "made up" in words
    assert "nothing leaves this machine" in words


async def test_commands_are_shown_as_typed(visitor: httpx.AsyncClient) -> None:
    page = await read(visitor)

    assert "<code>helixpost ask &#34;When?&#34;</code>" in page
    assert page.count("<code>helixpost") == 3


async def test_before_its_time_the_campaign_counts_down(visitor: httpx.AsyncClient) -> None:
    words = Words(await read(visitor)).text

    assert "The newsletter is scheduled" in words
    assert "Starts in 2:05" in words
    assert "200 made-up readers" in words


async def test_a_campaign_whose_time_has_come_is_about_to_start(
    visitor: httpx.AsyncClient, campaign: Campaign
) -> None:
    assert campaign.told is not None
    campaign.told["scheduled_at"] = "2026-05-01T11:59:59Z"

    assert "about to start" in await read(visitor, "/progress")


async def test_under_way_the_counts_and_the_bar_tell_how_far_it_is(
    visitor: httpx.AsyncClient, campaign: Campaign
) -> None:
    campaign.becomes("sending", queued=96, sending=4, sent=90, failed=4, bounced=3, uncertain=1, skipped=2)

    page = await read(visitor, "/progress")

    assert "Sent 90 Queued 100 Failed 8 Skipped 2 Of 200" in Words(page).text
    assert 'aria-label="50 per cent of 200 letters settled"' in page
    assert re.findall(r"width:([\d.]+)%", page) == ["45.0", "4.0", "1.0"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("draft", "written, but not approved yet"),
        ("approved", "approved, but not scheduled yet"),
        ("sending", "on its way"),
        ("paused", "is paused"),
        ("sent", "has arrived"),
        ("cancelled", "was cancelled"),
    ],
)
async def test_every_status_has_its_sentence(
    visitor: httpx.AsyncClient, campaign: Campaign, status: str, words: str
) -> None:
    campaign.becomes(status, sent=200)

    assert words in Words(await read(visitor, "/progress")).text


async def test_without_a_campaign_the_page_says_so(visitor: httpx.AsyncClient, campaign: Campaign) -> None:
    campaign.told = None

    assert "No newsletter is planned yet" in await read(visitor)


async def test_without_scripts_the_page_refreshes_until_the_campaign_is_over(
    visitor: httpx.AsyncClient, campaign: Campaign
) -> None:
    refresh = '<noscript><meta http-equiv="refresh" content="5"></noscript>'

    assert refresh in await read(visitor)
    assert refresh not in await read(visitor, "/?live=off")
    campaign.becomes("sent", sent=200)
    assert refresh not in await read(visitor)


async def test_a_name_with_markup_stays_words(visitor: httpx.AsyncClient, campaign: Campaign) -> None:
    assert campaign.told is not None
    campaign.told["name"] = "<script>alert(1)</script>"

    assert "<script>alert" not in await read(visitor)


async def test_the_page_needs_nothing_from_elsewhere(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/")

    assets = re.findall(r'<(?:link rel="stylesheet" href|script src)="([^"]+)"', page.text)
    assert len(assets) == 2
    for address in assets:
        asset = await visitor.get(address)
        assert asset.status_code == 200
        assert "http" not in asset.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_service_may_keep_its_pages_elsewhere(tour: Tour, campaign: Campaign) -> None:
    moved = Tour("http://x", "/c", "/i", "INTRA", [], tour.progress, paths={"archive": "/newsletters"})

    assert moved.page("archive") == "http://x/newsletters"
    assert moved.page("events") == "http://x/events"
