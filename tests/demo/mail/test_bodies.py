"""How a letter's HTML is dressed for the frame."""

import pytest

from demo.mail.bodies import has_dark_colours, prepare_body

DARK = "<style>@media (prefers-color-scheme: dark){p{color:white}}</style><p>x"


@pytest.mark.parametrize(
    ("html", "start"),
    [
        ('<html><head lang="en"><title>', '<html><head lang="en"><base target="_blank">'),
        ("<HTML><p>", '<HTML><base target="_blank">'),
        ("<p>x", '<base target="_blank">'),
    ],
)
def test_links_leave_the_frame_wherever_the_head_is(html: str, start: str) -> None:
    assert prepare_body(html, "light").startswith(start)


def test_dark_colours_apply_when_dark_is_asked_for_and_only_then() -> None:
    assert "@media (min-width: 0){p{color:white}}" in prepare_body(DARK, "dark")
    assert "@media (max-width: 0){p{color:white}}" in prepare_body(DARK, "light")


def test_only_a_letter_without_dark_colours_is_inverted() -> None:
    assert "invert" in prepare_body("<p>x", "dark")
    assert "invert" not in prepare_body("<p>x", "light")
    assert "invert" not in prepare_body(DARK, "dark")
    assert has_dark_colours(DARK)
    assert not has_dark_colours("<p>x")
