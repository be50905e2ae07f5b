"""The sample subscribers: invented, unreachable, and spread as a partnership's would be."""

import csv
import io
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from demo.samples import sample_subscribers

HELIX_OF = {
    "local_public_authority": "government",
    "regional_public_authority": "government",
    "national_public_authority": "government",
    "sectoral_agency": "government",
    "infrastructure_and_service_provider": "government",
    "interest_group": "civil_society",
    "general_public": "civil_society",
    "higher_education_and_research": "academia",
    "education_and_training": "academia",
    "enterprise_except_sme": "business",
    "sme": "business",
    "business_support_organisation": "business",
}
RESERVED = re.compile(r"[a-z0-9.]+@(example\.(org|com|net)|[a-z0-9-]{1,63}\.example)")
TOPICS = {"events", "good-practices", "policy", "funding", "training"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sample_subscribers())))


def test_the_columns_are_those_of_the_import() -> None:
    assert sample_subscribers(1).splitlines()[0] == (
        "email,name,organisation,target_group,helix,country,region,language,topics,consented_at"
    )


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert sample_subscribers(50, seed=7) == sample_subscribers(50, seed=7)
    assert sample_subscribers(50, seed=7) != sample_subscribers(50, seed=8)


def test_no_address_can_reach_anyone(rows: list[dict[str, str]]) -> None:
    assert [row["email"] for row in rows if not RESERVED.fullmatch(row["email"])] == []


def test_addresses_are_unique_however_many_are_asked_for() -> None:
    large = list(csv.DictReader(io.StringIO(sample_subscribers(20_000))))

    assert len({row["email"] for row in large}) == 20_000


def test_every_organisation_says_it_is_a_sample(rows: list[dict[str, str]]) -> None:
    assert all(row["organisation"].endswith(" (sample)") for row in rows)


def test_helix_groups_are_even_and_fit_their_target_groups(rows: list[dict[str, str]]) -> None:
    assert Counter(row["helix"] for row in rows) == dict.fromkeys(set(HELIX_OF.values()), 50)
    assert [row for row in rows if HELIX_OF[row["target_group"]] != row["helix"]] == []
    assert {row["target_group"] for row in rows} == set(HELIX_OF)


def test_all_countries_and_languages_are_there(rows: list[dict[str, str]]) -> None:
    countries = Counter(row["country"] for row in rows)

    assert set(countries) == {"SI", "BG", "ES", "PT", "IT", "GB"}
    assert max(countries.values()) - min(countries.values()) <= 4
    assert {row["language"] for row in rows} == {"sl", "bg", "es", "pt", "it", "en"}
    assert all(row["region"] and row["name"] for row in rows)


def test_names_are_written_as_in_their_country(rows: list[dict[str, str]]) -> None:
    bulgarian = [row["name"] for row in rows if row["country"] == "BG"]

    assert all(re.fullmatch("[а-яА-Я ]+", name) for name in bulgarian)
    assert any(letter in row["name"] for row in rows for letter in "šžčñãçòö")


def test_up_to_three_known_topics_without_repeats(rows: list[dict[str, str]]) -> None:
    chosen = [row["topics"].split(";") if row["topics"] else [] for row in rows]

    assert {len(topics) for topics in chosen} == {0, 1, 2, 3}
    assert all(len(set(topics)) == len(topics) and set(topics) <= TOPICS for topics in chosen)


def test_consent_was_given_between_2025_and_october_2026(rows: list[dict[str, str]]) -> None:
    times = [datetime.fromisoformat(row["consented_at"]) for row in rows]

    assert all(row["consented_at"].endswith("Z") for row in rows)
    assert min(times) >= datetime(2025, 1, 1, tzinfo=UTC)
    assert max(times) < datetime(2026, 11, 1, tzinfo=UTC)
