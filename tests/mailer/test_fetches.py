"""Fetches: nobody who writes a link makes us look behind our own walls."""

from collections.abc import AsyncIterator
from pathlib import Path
from socket import EAI_AGAIN, gaierror

import httpx
import pytest

from mailer import fetches
from mailer.fetches import PublicDoor, Refused
from tests.mailer.websites import HERE, Page, Visit, Website, served

GOOD, OTHER, INSIDE = "good.example.org", "other.example.org", "inside.example.org"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with served(tmp_path, [GOOD, OTHER]) as site:
        yield site


async def _status(site: Website, url: str) -> int:
    async with httpx.AsyncClient(transport=site.door()) as client:
        return await fetches.status_of(client, url)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "193.2.1.66", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert fetches.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.8.8", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::10.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
        "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::",
        "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_of_any_other_network_is_not(address: str) -> None:
    assert not fetches.is_public(address)


async def test_the_address_that_was_checked_is_the_one_that_is_asked_by_its_host_s_name(
    site: Website,
) -> None:
    site.pages["/page"] = Page()
    assert await _status(site, site.url(GOOD, "/page")) == 200
    assert site.visits == [Visit("HEAD", "/page", f"{GOOD}:{site.port}", GOOD, "")]


async def test_two_hosts_of_one_address_are_told_apart(site: Website) -> None:
    site.pages |= {"/page": Page(302, location=site.url(OTHER, "/there")), "/there": Page()}
    assert await _status(site, site.url(GOOD, "/page")) == 200
    assert [visit.server_name for visit in site.visits] == [GOOD, OTHER]


async def test_a_certificate_of_another_host_is_refused(site: Website) -> None:
    site.pages["/page"] = Page()
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await _status(site, site.url("third.example.org", "/page"))
    assert site.visits == []


async def test_without_a_rule_of_the_test_s_own_this_machine_is_not_reached(site: Website) -> None:
    door = PublicDoor(resolve=site.look_up, tls=site.client_tls)
    async with httpx.AsyncClient(transport=door) as client:
        for url in (site.url(GOOD, "/page"), f"https://{HERE}:{site.port}/page"):
            with pytest.raises(Refused, match="private network"):
                await fetches.status_of(client, url)
    assert site.visits == []


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [HERE, "10.0.0.1"], ["64:ff9b::a00:1"]])
async def test_a_host_with_a_private_address_is_not_asked_at_all(site: Website, addresses: list[str]) -> None:
    site.addresses[GOOD] = addresses
    with pytest.raises(Refused, match="private network") as refusal:
        await _status(site, site.url(GOOD, "/page"))
    assert refusal.value.is_final
    assert site.visits == []


async def test_a_redirect_is_checked_like_the_link_itself(site: Website) -> None:
    site.addresses[INSIDE] = ["169.254.169.254"]
    site.pages |= {
        "/in": Page(302, location=f"https://{INSIDE}/latest/meta-data"),
        "/literal": Page(301, location="https://[::1]/"),
        "/plain": Page(307, location=f"http://{GOOD}:{site.port}/page"),
        "/file": Page(302, location="file:///etc/passwd"),
    }
    for path in ("/in", "/literal"):
        with pytest.raises(Refused, match="private network"):
            await _status(site, site.url(GOOD, path))
    with pytest.raises(Refused, match="leads on to http:// instead of https://") as refusal:
        await _status(site, site.url(GOOD, "/plain"))
    assert not refusal.value.is_final
    with pytest.raises(Refused, match="leads on to file:"):
        await _status(site, site.url(GOOD, "/file"))
    assert [visit.path for visit in site.visits] == ["/in", "/literal", "/plain", "/file"]


@pytest.mark.parametrize(("steps", "arrives"), [(5, True), (6, False)])
async def test_five_redirects_are_followed_and_no_more(site: Website, steps: int, arrives: bool) -> None:
    for step in range(steps):
        site.pages[f"/{step}"] = Page(302, location=f"/{step + 1}")
    site.pages[f"/{steps}"] = Page()
    if arrives:
        assert await _status(site, site.url(GOOD, "/0")) == 200
    else:
        with pytest.raises(Refused, match="more than 5 times"):
            await _status(site, site.url(GOOD, "/0"))
    assert len(site.visits) == 6


async def test_who_refuses_to_be_asked_for_headers_is_asked_for_a_kilobyte_and_not_read(
    site: Website,
) -> None:
    site.pages["/page"] = Page(head_status=405, is_endless=True)
    assert await _status(site, site.url(GOOD, "/page")) == 200
    assert [(visit.method, visit.byte_range) for visit in site.visits] == [
        ("HEAD", ""),
        ("GET", "bytes=0-1023"),
    ]


@pytest.mark.parametrize(("status", "told"), [(404, 404), (410, 410), (503, 503), (206, 206), (416, 200)])
async def test_the_answer_is_told_as_it_is(site: Website, status: int, told: int) -> None:
    site.pages["/page"] = Page(status, head_status=403)
    assert await _status(site, site.url(GOOD, "/page")) == told


async def test_another_address_of_the_host_is_tried_when_the_first_does_not_answer(site: Website) -> None:
    site.pages["/page"] = Page()
    site.addresses[GOOD] = ["127.0.0.2", HERE]
    assert await _status(site, site.url(GOOD, "/page")) == 200


async def test_an_unknown_host_is_final_and_a_silent_name_service_is_not(site: Website) -> None:
    with pytest.raises(Refused, match="no such host") as unknown:
        await _status(site, "https://nowhere.example.org/")
    assert unknown.value.is_final
    site.addresses["empty.example.org"] = []
    with pytest.raises(Refused, match="no such host"):
        await _status(site, "https://empty.example.org/")

    async def out_of_reach(_host: str, _port: int) -> list[str]:
        raise gaierror(EAI_AGAIN, "try again")

    async with httpx.AsyncClient(transport=PublicDoor(resolve=out_of_reach)) as client:
        with pytest.raises(Refused, match="looked up now") as silent:
            await fetches.status_of(client, site.url(GOOD, "/page"))
    assert not silent.value.is_final


async def test_who_does_not_answer_is_not_waited_for(site: Website) -> None:
    site.pages["/page"] = Page(is_silent=True)
    async with httpx.AsyncClient(transport=site.door()) as client:
        with pytest.raises(TimeoutError):
            await fetches.status_of(client, site.url(GOOD, "/page"), patience=0.05)


async def test_the_system_knows_this_machine_by_name() -> None:
    found = await fetches.look_up("localhost", 443)
    assert found
    assert not any(fetches.is_public(address) for address in found)
