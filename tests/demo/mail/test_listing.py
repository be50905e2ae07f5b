"""Which letters a page shows, for any number of them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from demo.mail.letters import Letter
from demo.mail.listing import PAGE_SIZE, Filter, list_letters


def letters(count: int) -> list[Letter]:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return [
        Letter(n, "a@example.org", (f"r{n}@example.org",), b"Subject: S\r\n\r\n", now)
        for n in range(1, count + 1)
    ]


@given(st.integers(0, 4 * PAGE_SIZE))
def test_the_pages_together_show_every_letter_once_newest_first(count: int) -> None:
    kept = letters(count)
    pages = list_letters(kept, Filter()).pages

    shown = [one for page in range(1, pages + 1) for one in list_letters(kept, Filter(page=page)).letters]

    assert shown == kept[::-1]


def test_a_page_beyond_the_last_is_the_last() -> None:
    listing = list_letters(letters(PAGE_SIZE + 1), Filter(page=99))

    assert (listing.page, listing.pages) == (2, 2)
    assert [letter.id for letter in listing.letters] == [1]


def test_a_query_tells_only_what_differs_from_showing_everything() -> None:
    wanted = Filter(q="Ünï & co", to="ana@example.org", page=3)

    assert wanted.query(to="", page=1) == "?q=%C3%9Cn%C3%AF+%26+co"
    assert Filter().query() == "?"
