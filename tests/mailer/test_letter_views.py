"""Letter views: words with the colours they have in the end, links with their names, images with theirs."""

import pytest

from mailer import letter_views
from mailer.letter_views import LIGHT, UNTOLD, Look


def _look(html: str, first: Look = LIGHT) -> Look:
    [words] = letter_views.read(html, first).words
    return words.look


@pytest.mark.parametrize(
    ("html", "ink", "ground"),
    [
        ("<p>x</p>", "#000000", "#ffffff"),
        ('<div style="color:#123;background:#FFF"><p>x</p></div>', "#112233", "#ffffff"),
        ('<td bgcolor="#003399"><p style="color: white">x</p></td>', "#ffffff", "#003399"),
        ('<p style="color: rgb(1, 2, 300)">x</p>', "#0102ff", "#ffffff"),
        ('<p style="color:#111111 !important;color:#222222">x</p>', "#111111", "#ffffff"),
        ('<p style="background-color:#111111!important;background:#222222 none">x</p>', "#000000", "#111111"),
        ('<p style="color:var(--ink)">x</p>', None, "#ffffff"),
        ('<p style="color:inherit;background:transparent">x</p>', "#000000", "#ffffff"),
        ('<div style="background:#000 url(x.png)"><p>x</p></div>', "#000000", None),
        ('<div style="background-image:linear-gradient(red,blue)"><p>x</p></div>', "#000000", None),
        ('<div style="color:#111111"><br><img src="x" alt=""></div><p>x</p>', "#000000", "#ffffff"),
    ],
)
def test_colours_are_inherited_and_named_where_they_can_be_told(
    html: str, ink: str | None, ground: str | None
) -> None:
    look = _look(html)
    assert (look.ink, look.ground) == (ink, ground)


def test_where_nothing_is_said_of_the_dark_scheme_nothing_is_known() -> None:
    assert _look("<p>x</p>", UNTOLD) == UNTOLD


@pytest.mark.parametrize(
    ("html", "is_large"),
    [
        ('<p style="font-size:16px">x</p>', False),
        ('<p style="font-size:24px">x</p>', True),
        ('<h1 style="font-size:19px">x</h1>', True),
        ('<h1 style="font-size:19px;font-weight:400">x</h1>', False),
        ('<p style="font-size:19px;font-weight:bold">x</p>', True),
        ('<div style="font-size:24px"><p style="font-size:small">x</p></div>', True),
    ],
)
def test_large_text_is_known_by_size_and_weight(html: str, is_large: bool) -> None:
    assert _look(html).is_large is is_large


def test_what_is_not_shown_is_not_seen() -> None:
    html = (
        "<head><title>T</title><style>p { color: red }</style></head>"
        "<!-- c --><!--[if mso]><p>o</p><![endif]-->"
        '<div style="display:none">p<a href="https://a.eu">a</a><img src="x"></div><p>seen</p>'
    )
    view = letter_views.read(html)
    assert view.text == "seen"
    assert (view.links, view.images) == ((), ())


def test_a_link_is_called_by_its_words_and_its_images() -> None:
    view = letter_views.read(
        '<p><a href=" https://a.eu ">the <b>six</b> <img src="m.png" alt="regions"></a> and '
        '<a name="top">more</a> <img src="n.png"></p>'
    )
    [link] = view.links
    assert letter_views.read("<a>broken</a>").links[0].target == ""
    assert (link.target, link.name) == ("https://a.eu", "the six regions")
    assert [(image.source, image.alt, image.is_in_link) for image in view.images] == [
        ("m.png", "regions", True),
        ("n.png", None, False),
    ]
    assert view.text == "the six and more"


def test_html_that_closes_what_it_never_opened_is_read_on() -> None:
    assert letter_views.read("</div><p>a</p></p></table><p>b").text == "a b"
