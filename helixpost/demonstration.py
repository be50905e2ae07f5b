"""The demo: the real service against stand-ins for Telegram and the mail relay, all on this machine."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from demo import landing, mail, telegram
from demo.samples import sample_subscribers
from domain import campaigns, projects
from domain.database import Database
from domain.languages import FALLBACK
from helixpost import schema
from helixpost.commands.printing import out
from helixpost.importing import Import, open_roster
from helixpost.places import CONTENT, TEMPLATES
from helixpost.serving import listen, serve
from helixpost.settings import Settings, read
from helixpost.wiring import Service, opened, run_together, stop_on_signals
from knowledge import imports, packs
from mailer import campaign_files

HOST = "127.0.0.1"
FOLDER = Path("var/demo")
PACK = CONTENT / "intra"
FIRST_CAMPAIGN_IN = timedelta(minutes=2)
SETTINGS = """\
[service]
name = "INTRA"
base_url = "http://{host}:{web_port}"
time_zone = "Europe/Ljubljana"
secret = "{secret}"
operator = "INTRA demo"
contact = "team@example.org"

[database]
url = "sqlite:///{database}"

[telegram]
mode = "polling"
token = "{token}"
api_url = "http://{host}:{desk_port}/telegram"

[mail]
sender = "INTRA <news@example.org>"
reply_to = "team@example.org"
postal_address = "Sample Street 1, 0000 Sampletown (invented for the demo)"

[[relays]]
host = "{host}"
port = {mail_port}
security = "none"

[web]
host = "{host}"
port = {web_port}
bot_url = "http://{host}:{desk_port}/telegram/chat"
"""


async def run(port: int) -> None:
    """Run the tour until Ctrl-C. It begins afresh each time: `var/demo` is emptied first.

    `port` serves the landing page, the chat and the inbox; the next one the service's own pages, and
    the one after that the mail relay.
    """
    for number in range(port, port + 3):
        listen(HOST, number).close()  # a taken port is said before anything is prepared
    shutil.rmtree(FOLDER, ignore_errors=True)
    token = f"{secrets.randbelow(10**9)}:{secrets.token_urlsafe(24)}"
    settings = read(write_settings(FOLDER, port, token))
    stop = stop_on_signals()
    async with _prepared(settings) as (service, campaign_id), mail.Relay(HOST, port + 2) as relay:
        account = telegram.Telegram(token, username="intra_demo_bot", name="INTRA")
        desk = _desk(account, relay, _tour(service, campaign_id, port))
        _announce(port)
        roles = service.roles(service.default_roles()).values()
        await run_together([*roles, partial(_serve_desk, desk, account, listen(HOST, port))], stop)


def write_settings(folder: Path, port: int, token: str) -> Path:
    """Write the demo's settings file: it differs from a real installation's in nothing but addresses."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.touch(mode=0o600)
    fields = {
        "host": HOST,
        "desk_port": port,
        "web_port": port + 1,
        "mail_port": port + 2,
        "token": token,
        "secret": secrets.token_urlsafe(32),
        "database": folder / "helixpost.db",
    }
    path.write_text(SETTINGS.format(**fields), encoding="utf-8")
    return path


@asynccontextmanager
async def _prepared(settings: Settings) -> AsyncIterator[tuple[Service, int]]:
    """Open a fresh database with the pack, the sample subscribers and one scheduled campaign."""
    database = Database(settings.database)
    await schema.migrate(database)
    await database.close()
    async with opened(settings) as service:
        async with service.database.transaction() as session:
            await imports.import_pack(session, packs.read(PACK), service.clock())
        await _import_samples(service)
        yield service, await _schedule_campaign(service)


async def _import_samples(service: Service) -> None:
    file = FOLDER / "sample-subscribers.csv"
    file.write_text(sample_subscribers(), encoding="utf-8")
    async with service.database.reading() as session:
        project = await projects.get(session)
    operator = service.settings.service.operator
    words = service.texts.render("consent/email.txt", FALLBACK, project=project.name, operator=operator)
    await Import(service, await open_roster(service, file)).run(words)


async def _schedule_campaign(service: Service) -> int:
    now = service.clock()
    files = sorted((PACK / "campaigns").glob("*.md"))
    async with service.database.transaction() as session:
        topics = frozenset((await projects.get(session)).topics)
        draft = campaign_files.read(files, topics=topics, templates=TEMPLATES / "email")
        number = (await campaigns.create(session, draft, now)).id
        assert number is not None
        await campaigns.approve(session, number, now)
        zone = service.settings.service.time_zone
        await campaigns.schedule(session, number, now + FIRST_CAMPAIGN_IN, zone, now)
    return number


def _tour(service: Service, campaign_id: int, port: int) -> landing.Tour:
    return landing.Tour(
        service_url=service.settings.service.base_url,
        chat_url=f"http://{HOST}:{port}/telegram/chat",
        inbox_url=f"http://{HOST}:{port}/inbox/",
        project_name=service.settings.service.name,
        commands=[
            "export PATH=$PWD/.venv/bin:$PATH HELIXPOST_CONFIG=var/demo/config.toml",
            'helixpost ask "Who is the lead partner?" --json',
            f"helixpost campaigns status {campaign_id} --json",
        ],
        progress=partial(_progress, service, campaign_id),
    )


async def _progress(service: Service, campaign_id: int) -> Mapping[str, Any]:
    async with service.database.reading() as session:
        reached = await campaigns.progress(session, campaign_id)
    return {
        "name": reached.campaign.name,
        "status": reached.campaign.status,
        "scheduled_at": reached.campaign.scheduled_at,
        "counts": {status.value: count for status, count in reached.counts.items()},
        "audience": reached.campaign.audience_size or 0,
    }


def _desk(account: telegram.Telegram, relay: mail.Relay, tour: landing.Tour) -> Starlette:
    """Put the three stand-in pages under one address."""
    return Starlette(
        routes=[
            Mount("/inbox", mail.create_app(relay)),
            Mount("/telegram", telegram.create_app(account)),
            Mount("/", landing.create_app(tour)),
        ]
    )


async def _serve_desk(
    desk: Starlette, account: telegram.Telegram, listener: socket, stop: asyncio.Event
) -> None:
    serving = asyncio.create_task(serve(desk, listener, stop))
    await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    account.close()
    await serving


def _announce(port: int) -> None:
    out.print()
    out.print(f"Helixpost's demo runs: open http://{HOST}:{port}/", style="bold")
    out.print(f"  chat      http://{HOST}:{port}/telegram/chat")
    out.print(f"  inbox     http://{HOST}:{port}/inbox/")
    out.print(f"  subscribe http://{HOST}:{port + 1}/subscribe")
    out.print("Everyone in it is invented and nothing leaves this machine. Ctrl-C ends it.")
    out.print()
