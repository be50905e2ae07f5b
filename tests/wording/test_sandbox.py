"""The sandbox fills fields and refuses everything else."""

import pytest

from domain.errors import Invalid
from wording.sandbox import PersonalTemplate

READER = {"subscriber": {"first_name": "Ana <b>"}}


def test_a_field_is_filled_and_escaped_in_html_only() -> None:
    source = "Dear {{ subscriber.first_name or 'reader' }}"
    assert PersonalTemplate(source, html=True, field="body").render(READER) == "Dear Ana &lt;b&gt;"
    assert PersonalTemplate(source, html=False, field="body").render(READER) == "Dear Ana <b>"


@pytest.mark.parametrize(
    "source",
    [
        "{% for n in subscriber %}{% endfor %}",
        "{{ subscriber.first_name.upper() }}",
        "{{ 'a' * 1000000000 }}",
        "{% include 'email/confirm/subject.txt' %}",
        "{{ subscriber['__class__'] }}",
        "{% set x = 1 %}",
        "{{ 'a' ~ 'b' }}",
    ],
)
def test_what_could_loop_grow_or_reach_out_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(Invalid, match="body:2"):
        PersonalTemplate(f"first line\n{source}", html=True, field="body")


def test_a_dunder_attribute_is_refused() -> None:
    template = PersonalTemplate("{{ subscriber.__class__ }}", html=True, field="body")
    with pytest.raises(Invalid):
        template.render(READER)


def test_an_unknown_field_is_named() -> None:
    template = PersonalTemplate("{{ subscriber.nickname }}", html=False, field="news.en.md")
    with pytest.raises(Invalid, match=r"news\.en\.md: .*nickname"):
        template.render(READER)


def test_a_template_that_does_not_compile_names_its_line() -> None:
    with pytest.raises(Invalid, match=r"news\.en\.md:3"):
        PersonalTemplate("one\ntwo\n{{ oops", html=False, field="news.en.md")


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(Invalid, match="pprint"):
        PersonalTemplate("{{ subscriber | pprint }}", html=False, field="body")


@pytest.mark.parametrize(
    "source", ["{{ " + "(" * 600 + "subscriber" + ")" * 600 + " }}", "{{ subscriber" + "|upper" * 400 + " }}"]
)
def test_an_expression_nested_without_end_is_refused(source: str) -> None:
    with pytest.raises(Invalid, match="nested too deeply"):
        PersonalTemplate(source, html=True, field="body")


def test_a_template_tells_which_names_it_uses_and_on_which_it_works() -> None:
    template = PersonalTemplate(
        "{{ a }}{{ b.c }}{% if d.e %}{{ f | upper }}{% endif %}{{ a or g }}", html=False, field="body"
    )
    assert template.names == {"a", "b.c", "d.e", "f", "g"}
    assert template.computed == {"a", "d.e", "f", "g"}
