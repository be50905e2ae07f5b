"""The archive: letters without anything personal, and a feed that readers can read."""

from xml.etree import ElementTree as ET

import httpx
import pytest
from sqlmodel import update

from domain.campaigns import Campaign, Status
from domain.database import Database

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_an_empty_archive_says_so_and_offers_the_newsletter(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/archive")

    assert page.status_code == 200
    assert "No letter has gone out yet" in page.text


async def test_the_list_shows_each_letter_in_the_language_of_the_visitor(
    visitor: httpx.AsyncClient, letter: int
) -> None:
    english = (await visitor.get("/archive?language=en")).text
    slovenian = (await visitor.get("/archive?language=sl")).text
    italian = (await visitor.get("/archive?language=it")).text

    assert "Faro: what INTRA learnt" in english
    assert "Faro: kaj smo se naučili" in slovenian
    assert f'href="/archive/{letter}?language=it" lang="en"' in italian


async def test_a_letter_is_shown_without_a_person_in_it(visitor: httpx.AsyncClient, letter: int) -> None:
    page = (await visitor.get(f"/archive/{letter}?language=en")).text

    assert "Dear reader," in page
    assert "<h2>What INTRA learnt</h2>" in page
    assert 'href="https://intra.example/"' in page
    assert 'href="https://news.intra.example/preferences?language=en"' in page
    assert "<script" not in page
    assert "{{" not in page
    assert page.count("<h1>") == 1


async def test_a_letter_in_another_language_than_the_page_is_marked_so(
    visitor: httpx.AsyncClient, letter: int
) -> None:
    page = (await visitor.get(f"/archive/{letter}?language=it")).text

    assert '<html lang="it">' in page
    assert '<article class="letter" lang="en">' in page
    assert f'href="/archive/{letter}?language=sl" lang="sl"' in page


@pytest.mark.parametrize("number", ["999", "0", "x", "-1", "99999999999999999999"])
async def test_a_letter_that_is_not_there_is_not_found(
    visitor: httpx.AsyncClient, letter: int, number: str
) -> None:
    answer = await visitor.get(f"/archive/{number}")

    assert answer.status_code == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize(("status", "seen"), [(Status.PAUSED, 200), (Status.CANCELLED, 200)])
async def test_a_letter_that_readers_have_in_hand_stays_readable(
    visitor: httpx.AsyncClient, database: Database, letter: int, status: Status, seen: int
) -> None:
    async with database.transaction() as session:
        await session.exec(update(Campaign).values(status=status))

    assert (await visitor.get(f"/archive/{letter}")).status_code == seen
    assert "Faro" not in (await visitor.get("/archive")).text


async def test_a_draft_is_not_public(visitor: httpx.AsyncClient, database: Database, letter: int) -> None:
    async with database.transaction() as session:
        await session.exec(update(Campaign).values(status=Status.DRAFT, started_at=None))

    assert (await visitor.get(f"/archive/{letter}")).status_code == 404


async def test_the_feed_has_what_atom_asks_for(visitor: httpx.AsyncClient, letter: int) -> None:
    answer = await visitor.get("/archive/feed.xml?language=sl")
    feed = ET.fromstring(answer.content)

    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert feed.findtext(f"{ATOM}id") == "tag:news.intra.example,2016:archive:sl"
    assert feed.findtext(f"{ATOM}updated") == "2026-11-24T09:00:00+00:00"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "CAPITANK"
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}id") == f"tag:news.intra.example,2026-11-24:letter:{letter}"
    assert entry.findtext(f"{ATOM}title") == "Faro: kaj smo se naučili"
    (link,) = entry.findall(f"{ATOM}link")
    assert link.get("href") == f"https://news.intra.example/archive/{letter}?language=sl"


async def test_the_feed_is_valid_before_the_first_letter(visitor: httpx.AsyncClient) -> None:
    feed = ET.fromstring((await visitor.get("/archive/feed.xml")).content)

    assert feed.findtext(f"{ATOM}updated")
    assert feed.findall(f"{ATOM}entry") == []
