"""Colours: any project's branding stays readable on both surfaces."""

import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import update

from domain.database import Database
from domain.projects import Project
from web import colours
from wording.colours import contrast

channels = st.integers(min_value=0, max_value=255)
any_colour = st.builds("#{:02x}{:02x}{:02x}".format, channels, channels, channels)


@given(colour=any_colour, surface=st.sampled_from([colours.LIGHT, colours.DARK]))
def test_every_colour_becomes_readable(colour: str, surface: str) -> None:
    assert contrast(colours.readable(colour, surface), surface) >= 4.5


def test_a_colour_that_can_be_read_is_left_alone() -> None:
    assert colours.readable("#003399", colours.LIGHT) == "#003399"


def test_the_surfaces_are_those_of_the_stylesheet() -> None:
    css = (Path(colours.__file__).parent / "static" / "site.css").read_text()

    assert re.findall(r"--tint: (#\w{6})", css) == [colours.LIGHT, colours.DARK]


@pytest.mark.parametrize("primary", ["#ffee00", "red;} body{display:none", None])
async def test_the_stylesheet_holds_readable_colours_and_nothing_else(
    visitor: httpx.AsyncClient, database: Database, project: Project, primary: str | None
) -> None:
    async with database.transaction() as session:
        await session.exec(update(Project).values(branding={"primary": primary} if primary else {}))

    css = (await visitor.get("/colours.css")).text

    found = re.findall(r"--primary:(#\w{6});--on-primary:(#\w{6});", css)
    assert len(found) == 2
    for (colour, ink), surface in zip(found, (colours.LIGHT, colours.DARK), strict=True):
        assert contrast(colour, surface) >= 4.5
        assert contrast(colour, ink) >= 4.5
    assert "body" not in css
