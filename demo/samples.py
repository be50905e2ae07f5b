"""Invented subscribers for the demo: nobody here exists, and no address can reach anyone."""

import csv
import io
import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

COLUMNS = (
    "email",
    "name",
    "organisation",
    "target_group",
    "helix",
    "country",
    "region",
    "language",
    "topics",
    "consented_at",
)
TOPICS = ("events", "good-practices", "policy", "funding", "training")
HELIX_GROUPS = ("academia", "business", "government", "civil_society")
SHARE_READING_ENGLISH = 0.12

FIRST_CONSENT = datetime(2025, 1, 7, 8, tzinfo=UTC)
LAST_CONSENT = datetime(2026, 10, 30, 17, tzinfo=UTC)
RESERVED_DOMAINS = ("example.org", "example.com", "example.net")


@dataclass(frozen=True, slots=True)
class Country:
    """One partner country; `people` pairs first names with the surnames that agree with them."""

    code: str
    language: str
    people: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    regions: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What an organisation of a target group may be called after its place."""

    target_group: str
    titles: tuple[str, ...]


COUNTRIES = (
    Country(
        "SI",
        "sl",
        (
            (
                ("Špela", "Živa", "Maša", "Katarina", "Anže", "Žiga", "Matjaž", "Črt", "Luka", "Tjaša"),
                ("Košir", "Žnidaršič", "Hribernik", "Jagodič", "Podlesnik", "Šuštar", "Čebular", "Vrtačnik"),
            ),
        ),
        ("Podravska", "Savinjska", "Pomurska", "Koroška"),
        ("Drava Valley", "Zeleni Hrib", "Trta Hills", "Sončna Reka", "Kozjak Ridge"),
    ),
    Country(
        "BG",
        "bg",
        (
            (
                ("Десислава", "Милена", "Цветелина", "Йоана", "Радостина", "Антония"),
                ("Ветрова", "Калинова", "Синигерова", "Жълтева", "Чукарска", "Боровинкова"),
            ),
            (
                ("Пламен", "Любомир", "Красимир", "Тодор", "Явор", "Светослав"),
                ("Ветров", "Калинов", "Синигеров", "Жълтев", "Чукарски", "Боровинков"),
            ),
        ),
        ("Варна", "Добрич", "Шумен", "Търговище"),
        ("Морски Бряг", "Черноморска Долина", "Синя Скала", "Златна Нива", "Добруджа Fields"),
    ),
    Country(
        "ES",
        "es",
        (
            (
                (
                    "Begoña",
                    "Íñigo",
                    "Nuria",
                    "Álvaro",
                    "Rocío",
                    "Óscar",
                    "Inés",
                    "Joaquín",
                    "Ángela",
                    "Martín",
                ),
                ("Encinar Núñez", "Dehesa Peña", "Olivares Muñoz", "Robledo Ibáñez", "Castañar Gómez"),
            ),
        ),
        ("Badajoz", "Cáceres", "Extremadura"),
        ("Encina Alta", "Valle del Corcho", "Ribera Ñandú", "Sierra Jara", "Dehesa Clara"),
    ),
    Country(
        "PT",
        "pt",
        (
            (
                (
                    "João",
                    "Conceição",
                    "Inês",
                    "Gonçalo",
                    "Lídia",
                    "Simão",
                    "Beatriz",
                    "Tomé",
                    "Mafalda",
                    "Rúben",
                ),
                ("Alfarrobeira", "Figueirão", "Ribeirinho Falcão", "Amendoeira", "Salgueirinha", "Medronho"),
            ),
        ),
        ("Algarve", "Barlavento Algarvio", "Sotavento Algarvio"),
        ("Ria Dourada", "Serra do Medronho", "Praia Funda", "Alfarroba", "Cabo Manso"),
    ),
    Country(
        "IT",
        "it",
        (
            (
                ("Niccolò", "Giosuè", "Chiara", "Ludovica", "Pierluigi", "Maria José", "Fabrizio", "Noemi"),
                ("D'Ulivo", "Montelupi", "Verità", "Collefiorito", "Sambuchetti", "De Ginepro", "Cardonà"),
            ),
        ),
        ("Abruzzo", "Pescara", "Chieti", "Teramo"),
        ("Colle Zafferano", "Valle dell'Orso", "Costa Trabocco", "Monte Ginepro", "Città del Grano"),
    ),
    Country(
        "GB",
        "en",
        (
            (
                (
                    "Siân",
                    "Zoë",
                    "Alistair",
                    "Priya",
                    "Imogen",
                    "Callum",
                    "Tunde",
                    "Róisín",
                    "Harriet",
                    "Gareth",
                ),
                (
                    "Thistlewood",
                    "Canalside",
                    "Larkmoor",
                    "Pemberfield",
                    "Okonwell",
                    "Ashgrove-Reid",
                    "Brindley",
                ),
            ),
        ),
        ("West Midlands", "Birmingham", "Black Country"),
        ("Canal Quarter", "Foundry Lane", "Larkmoor", "Copper Bridge", "Greenlock"),
    ),
)

# listed more than once where the programme meets them more often
KINDS = {
    "academia": (
        Kind(
            "higher_education_and_research", ("University of Applied Trade", "Institute for Regional Economy")
        ),
        Kind("higher_education_and_research", ("Business School", "Research Centre")),
        Kind("education_and_training", ("Vocational College", "Training Centre")),
    ),
    "business": (
        Kind("sme", ("Fabrication Ltd", "Honey & Oil Ltd", "Software Ltd", "Ceramics Ltd", "Cycling Ltd")),
        Kind("business_support_organisation", ("Chamber of Makers", "Export Club", "Business Incubator")),
        Kind("sme", ("Textiles Ltd", "Robotics Ltd", "Cheese Ltd", "Furniture Ltd")),
        Kind("enterprise_except_sme", ("Industries plc", "Logistics Group")),
    ),
    "government": (
        Kind("local_public_authority", ("Town Council", "Municipality")),
        Kind("regional_public_authority", ("Regional Council", "County Administration")),
        Kind("sectoral_agency", ("Development Agency", "Energy Agency")),
        Kind("local_public_authority", ("City Office for Enterprise", "District Council")),
        Kind("national_public_authority", ("Ministry of Sample Affairs", "National Export Office")),
        Kind("infrastructure_and_service_provider", ("Water and Transport Authority", "Port Authority")),
    ),
    "civil_society": (
        Kind("interest_group", ("Volunteers' Network", "Consumer Forum", "Women in Trade Association")),
        Kind("general_public", ("Citizens' Circle", "Neighbours' Assembly", "Readers' Club")),
        Kind("interest_group", ("Environment Trust", "Youth Forum", "Local Press Club")),
    ),
}

CYRILLIC = dict(zip("абвгдезийклмнопрстуфхъь", "abvgdeziyklmnoprstufhay", strict=True)) | {
    "ж": "zh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sht",
    "ю": "yu",
    "я": "ya",
}


def sample_subscribers(count: int = 200, seed: int = 2016) -> str:
    """Write CSV of `count` invented subscribers; the same seed gives the same text.

    Helix groups and countries take turns, addresses are unique and end in names reserved by RFC 2606.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable, and nothing here is secret
    taken: set[str] = set()
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number in range(count):
        writer.writerow(_invent(number, chance, taken))
    return text.getvalue()


def _invent(number: int, chance: random.Random, taken: set[str]) -> dict[str, str]:
    helix = HELIX_GROUPS[number % len(HELIX_GROUPS)]
    country = COUNTRIES[number // len(HELIX_GROUPS) % len(COUNTRIES)]
    first_names, surnames = chance.choice(country.people)
    name = f"{chance.choice(first_names)} {chance.choice(surnames)}"
    kind = chance.choice(KINDS[helix])
    place = chance.choice(country.places)
    return {
        "email": _unique(_address(name, place, chance), taken),
        "name": name,
        "organisation": f"{place} {chance.choice(kind.titles)} (sample)",
        "target_group": kind.target_group,
        "helix": helix,
        "country": country.code,
        "region": chance.choice(country.regions),
        "language": "en" if chance.random() < SHARE_READING_ENGLISH else country.language,
        "topics": ";".join(_some_topics(chance)),
        "consented_at": _some_time(chance),
    }


def _address(name: str, place: str, chance: random.Random) -> str:
    own_domain = f"{_ascii_slug(place)}.example"
    domain = chance.choice((*RESERVED_DOMAINS, own_domain, own_domain, own_domain))
    return f"{_ascii_slug(name).replace('-', '.')}@{domain}"


def _unique(address: str, taken: set[str]) -> str:
    local, domain = address.split("@")
    number = 1
    while address in taken:
        number += 1
        address = f"{local}{number}@{domain}"
    taken.add(address)
    return address


def _ascii_slug(words: str) -> str:
    latin = "".join(CYRILLIC.get(letter, letter) for letter in words.lower())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")


def _some_topics(chance: random.Random) -> list[str]:
    chosen = chance.sample(TOPICS, chance.choice((0, 1, 1, 2, 2, 3)))
    return sorted(chosen, key=TOPICS.index)


def _some_time(chance: random.Random) -> str:
    span = int((LAST_CONSENT - FIRST_CONSENT).total_seconds())
    time = FIRST_CONSENT + timedelta(seconds=chance.randrange(span))
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
