"""Layouts: text stays readable on the project's colour, in both colour schemes."""

import re
from pathlib import Path

import pytest

from domain.languages import Language
from domain.projects import Project
from mailer import layouts
from mailer.layouts import READABLE
from mailer.messages import Stationery
from wording.colours import contrast

SOURCE = (Path(__file__).parents[2] / "templates" / "email" / "layout.mjml").read_text()


@pytest.mark.parametrize("primary", ["#003399", "#ffcc00", "#777777", "#ffffff", "#000000"])
def test_words_on_the_project_s_colour_and_links_on_white_are_readable(
    stationery: Stationery, project: Project, primary: str
) -> None:
    project.branding = {"primary": primary}
    colours = layouts.frame(stationery, project, Language.ENGLISH)["colours"]
    assert contrast(colours["ink"], primary) >= READABLE
    assert contrast(colours["link"], "#ffffff") >= READABLE


def test_every_colour_of_text_is_readable_on_every_ground_of_its_scheme() -> None:
    light, dark = SOURCE.split("@media (prefers-color-scheme: dark)")
    dark, body = dark.split("</mj-style>")
    grounds = {"light": re.findall(r'background-color="(#\w+)"', body)}
    grounds["dark"] = re.findall(r"background-color: (#\w+)", dark)
    inks = {"light": re.findall(r'[; "]color(?:="|: )(#\w+)', light + body)}
    inks["dark"] = re.findall(r"\bcolor: (#\w+)", dark.replace("-color: ", ""))
    for scheme in ("light", "dark"):
        assert inks[scheme]
        assert grounds[scheme]
        for ink in inks[scheme]:
            for ground in grounds[scheme]:
                assert contrast(ink, ground) >= READABLE, (scheme, ink, ground)


def test_before_its_pack_is_imported_the_project_has_a_name_only(stationery: Stationery) -> None:
    assert layouts.frame(stationery, None, Language.ENGLISH)["project"]["name"] == "INTRA"


def test_a_letter_loads_nothing_from_elsewhere() -> None:
    html = layouts.to_html(
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert "@import" not in html
    assert "<link" not in html
