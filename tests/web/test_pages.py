"""Every page in every language, with a project and before there is one."""

import re

import httpx
import pytest
from fastapi import FastAPI

from domain.languages import Language
from domain.projects import Project
from domain.sites import ServiceSettings

PUBLIC = (
    "/",
    "/subscribe",
    "/preferences",
    "/archive",
    "/events",
    "/events?q=nothing",
    "/partners",
    "/documents",
    "/documents?q=nothing",
    "/privacy",
    "/accessibility",
    "/never",
)


async def seen(visitor: httpx.AsyncClient, address: str, language: Language) -> str:
    mark = "&" if "?" in address else "?"
    answer = await visitor.get(f"{address}{mark}language={language}")
    assert answer.status_code in {200, 404}
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


@pytest.mark.parametrize("language", Language)
async def test_every_page_is_whole_in_every_language(
    visitor: httpx.AsyncClient, project: Project, letter: int, language: Language
) -> None:
    for address in (*PUBLIC, f"/archive/{letter}", "/events/kick-off", "/events/badajoz", "/events/unknown"):
        page = await seen(visitor, address, language)
        assert "Undefined" not in page
        assert "INTRA was co-financed by the European Union." in page
        assert page.count("<h1>") == 1


@pytest.mark.parametrize("language", [Language.ENGLISH, Language.BULGARIAN])
async def test_every_page_is_whole_before_a_project_is_there(
    visitor: httpx.AsyncClient, language: Language
) -> None:
    for address in PUBLIC:
        page = await seen(visitor, address, language)
        assert "Undefined" not in page
        assert "Helixpost" in page


async def test_every_link_within_the_site_keeps_the_language_and_leads_somewhere(
    visitor: httpx.AsyncClient, project: Project, letter: int
) -> None:
    for address in (*PUBLIC, f"/archive/{letter}", "/events/kick-off"):
        page = (await seen(visitor, address, Language.SLOVENIAN)).split("<body>")[1]
        for link in set(re.findall(r'href="(/[^"]*)"', page)):
            assert "language=" in link, (address, link)
            assert (await visitor.get(link.replace("&amp;", "&"))).status_code == 200 or "/never" in link


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "", "en"),
        ("", "sl", "sl"),
        ("", "de, pt-BR;q=0.8, it;q=0.9", "it"),
        ("", "fr;q=1, bg;q=0.1", "bg"),
        ("", "es;q=0, it;q=0.1", "it"),
        ("", "it;q=much", "en"),
        ("?language=es", "sl", "es"),
        ("?language=klingon", "sl", "sl"),
    ],
)
async def test_the_address_chooses_the_language_and_then_the_browser(
    visitor: httpx.AsyncClient, query: str, header: str, language: str
) -> None:
    page = await visitor.get(f"/{query}", headers={"Accept-Language": header})

    assert f'<html lang="{language}">' in page.text
    assert page.headers["vary"] == "Accept-Language"


async def test_search_machines_are_told_of_the_other_languages(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get("/events?q=a&language=sl")).text

    link = '<link rel="alternate" hreflang="it" href="https://news.intra.example/events?q=a&amp;language=it">'
    assert link in page
    assert '<link rel="canonical" href="https://news.intra.example/events?language=sl">' in page


async def test_a_project_that_has_ended_says_so_on_its_home_page(
    visitor: httpx.AsyncClient, project: Project
) -> None:
    page = (await visitor.get("/")).text

    assert "INTRA ended on 31 March 2021" in page
    assert "INTRA: Internationalisation of regional SMEs" in page
    assert 'href="https://t.me/IntraBot"' in page


async def test_documents_are_found_and_ordered(visitor: httpx.AsyncClient, project: Project) -> None:
    newest = (await visitor.get("/documents")).text
    by_title = (await visitor.get("/documents?sort=title")).text
    searched = (await visitor.get("/documents?q=LEARNING")).text

    assert newest.index("Good practice handbook") < newest.index("Knowledge Sharing Strategy")
    assert by_title.index("Good practice handbook") < by_title.index("Knowledge Sharing Strategy")
    assert "Knowledge Sharing Strategy" in searched
    assert "Good practice handbook" not in searched
    assert "No document matches" in (await visitor.get("/documents?q=nothing")).text


async def test_the_privacy_page_names_who_answers_and_how_to_reach_them(
    visitor: httpx.AsyncClient,
) -> None:
    page = (await visitor.get("/privacy")).text

    assert "CAPITANK is the controller" in page
    assert 'href="mailto:privacy@intra.example"' in page
    for term in ("7 days", "30 days"):
        assert term in page


async def test_words_of_a_visitor_are_never_markup(visitor: httpx.AsyncClient, project: Project) -> None:
    for address in ("/events", "/documents"):
        page = (await visitor.get(address, params={"q": '"><script>alert(1)</script>'})).text
        assert "<script" not in page


async def test_a_site_below_a_path_links_below_it(
    app: FastAPI, visitor: httpx.AsyncClient, service: ServiceSettings
) -> None:
    app.state.site.service.base_url = "https://intra.example/news"

    page = (await visitor.get("/?language=sl")).text

    assert 'href="/news/subscribe?language=sl"' in page
    assert 'href="/news/static/site.css"' in page
    assert not re.search(r'(?:href|action)="/(?!news/)', page)
