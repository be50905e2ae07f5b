"""Refusals: in the visitor's language, with a way on."""

import httpx
import pytest
from fastapi import FastAPI

from domain.languages import Language


@pytest.mark.parametrize("language", Language)
async def test_a_page_that_is_not_there_is_explained(visitor: httpx.AsyncClient, language: Language) -> None:
    answer = await visitor.get(f"/never?language={language}")

    assert answer.status_code == 404
    assert f'<html lang="{language}">' in answer.text
    assert f'href="/?language={language}"' in answer.text


async def test_a_page_says_what_it_cannot_do(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.put("/subscribe?language=en")

    assert answer.status_code == 405
    assert "This page cannot do that" in answer.text


async def test_a_defect_is_admitted_without_its_details(app: FastAPI, visitor: httpx.AsyncClient) -> None:
    async def fail() -> None:
        raise ZeroDivisionError("ana@example.org")

    app.add_api_route("/fail", fail)

    answer = await visitor.get("/fail?language=en")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "ana@example.org" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/never.css", "/static"]
)
async def test_only_what_is_meant_for_visitors_is_served(visitor: httpx.AsyncClient, path: str) -> None:
    assert (await visitor.get(path)).status_code == 404
