"""Unsubscribing the way a mail program does: the one-click POST of RFC 8058."""

import html
import re
from dataclasses import dataclass

import httpx
import nh3

ANSWER_LIMIT = 600
PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; `status` is None when it could not be reached, `problem` then says why."""

    url: str
    status: int | None
    text: str = ""
    location: str = ""
    problem: str = ""

    @property
    def accepted(self) -> bool:
        """RFC 8058 forbids redirects, so only a 2xx counts."""
        return self.status is not None and 200 <= self.status <= 299


async def unsubscribe_one_click(url: str) -> Answer:
    """Post `List-Unsubscribe=One-Click` without cookies, proxies or redirects.

    A network that fails is an answer too, so nothing is raised for it.
    """
    try:
        async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=PATIENCE) as client:
            response = await client.post(url, data={"List-Unsubscribe": "One-Click"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(url, None, problem=str(error) or type(error).__name__)
    return Answer(url, response.status_code, _words_of(response), response.headers.get("location", ""))


def _words_of(response: httpx.Response) -> str:
    text = response.text
    if "html" in response.headers.get("content-type", ""):
        text = html.unescape(nh3.clean(text, tags=set(), clean_content_tags={"script", "style", "title"}))
    return re.sub(r"\s+", " ", text).strip()[:ANSWER_LIMIT]
