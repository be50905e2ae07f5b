"""Contrast is measured as the guidelines for web content measure it."""

import pytest

from wording.colours import contrast, parse


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("css", "colour"),
    [
        ("#1F4E79", "#1f4e79"),
        (" #fa0 ", "#ffaa00"),
        ("rgb(31, 78,121)", "#1f4e79"),
        ("rgb(31 78 300)", "#1f4eff"),
        ("White", "#ffffff"),
        ("#fffff", None),
        ("#ffffff80", None),
        ("rgba(0, 0, 0, 0.5)", None),
        ("var(--ink)", None),
        ("rebeccapurple", None),
        ("", None),
    ],
)
def test_an_opaque_colour_is_read_however_it_is_written(css: str, colour: str | None) -> None:
    assert parse(css) == colour
