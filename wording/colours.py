"""Colours such as #1f4e79: their channels, and how well one can be read on another (WCAG 2.1, 1.4.3)."""

import re

_SHORT, _LONG = re.compile("#[0-9a-f]{3}"), re.compile("#[0-9a-f]{6}")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)")
_NAMES = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "green": "#008000",
    "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff",
    "teal": "#008080", "aqua": "#00ffff", "orange": "#ffa500",
}  # fmt: skip


def parse(css: str) -> str | None:
    """Return an opaque colour of a style sheet as #rrggbb; None for one that is written in other ways."""
    text = css.strip().lower()
    if _LONG.fullmatch(text):
        return text
    if _SHORT.fullmatch(text):
        return "#" + "".join(digit * 2 for digit in text[1:])
    if found := _RGB.fullmatch(text):
        return "#" + "".join(f"{min(int(channel), 255):02x}" for channel in found.groups())
    return _NAMES.get(text)


def channels(colour: str) -> list[int]:
    """Return red, green and blue, each from 0 to 255."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, between 1 and 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
