"""Visits: who asks for a page, in which language, and how a page answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain import projects
from domain.database import Database
from domain.languages import Language
from domain.projects import Project
from domain.sites import ServiceSettings
from domain.times import Clock
from web import languages
from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class Site:
    """What every page is made of."""

    database: Database
    texts: Texts
    service: ServiceSettings
    clock: Clock
    bot_url: str = ""

    @property
    def host(self) -> str:
        """The host name under which the world knows this site."""
        return urlsplit(self.service.base_url).hostname or "localhost"


class Visit:
    """One request for a page, with the language it is answered in."""

    def __init__(self, request: Request) -> None:
        """Read the language; nothing is looked up yet."""
        self.request = request
        self.site: Site = request.app.state.site
        self.service: ServiceSettings = self.site.service
        self.database: Database = self.site.database
        self.language = languages.language_for(request, self.service.languages)

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.site.clock()

    @property
    def today(self) -> date:
        """The present day where the project is at home."""
        return self.now.astimezone(self.service.zone).date()

    @property
    def root(self) -> str:
        """The path under which the site lies, where it does not have a host of its own."""
        return str(urlsplit(self.service.base_url).path)

    def link(self, path: str, **query: str) -> str:
        """Return the address of a page within the site, in the language of this visit."""
        return f"{self.root}{self._asking(path, self.language, query)}"

    def url(self, path: str, **query: str) -> str:
        """Return the address of a page for use outside of the site, in the language of this visit."""
        return self.service.url(self._asking(path, self.language, query))

    def in_languages(self, path: str) -> list[tuple[Language, str]]:
        """Return the path of that page in each language, with the rest of the query kept."""
        query = dict(self.request.query_params)
        return [(language, self._asking(path, language, query)) for language in self.service.languages]

    async def page(
        self, template: str, *, status: int = 200, private: bool = False, here: str = "", **values: Any
    ) -> HTMLResponse:
        """Answer with a page in the visitor's language.

        A `private` page was opened by a secret link: nobody stores, indexes or lists it. `here` is the
        page that the language menu leads to, where this one is the answer to a form.
        """
        async with self.database.reading() as session:
            project = await projects.find(session)
        values |= {"project": project, "private": private, "here": here or self.request.scope["path"]}
        response = HTMLResponse(self.render(template, **values), status)
        response.headers["Content-Language"] = self.language
        response.headers["Vary"] = "Accept-Language"
        if private:
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Robots-Tag"] = "noindex"
        return response

    def render(self, template: str, *, project: Project | None, **values: Any) -> str:
        """Return a template's text with what each of them knows: the visit and the project."""
        return self.site.texts.render(
            template, self.language, visit=self, service=self.service, project=project, **values
        )

    @staticmethod
    def _asking(path: str, language: Language, query: Mapping[str, str]) -> str:
        return f"{quote(path)}?{urlencode({**query, languages.PARAMETER: language})}"


Visiting = Annotated[Visit, Depends(Visit)]
"""How a route asks for the visit that it answers."""
