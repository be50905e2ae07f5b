"""Notice letters: the single letters outside campaigns, each made out of its notice's payload."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from domain.languages import Language
from domain.notices import Kind, Notice
from domain.projects import Project
from mailer import layouts, messages
from mailer.envelopes import Envelope
from mailer.links import links_for, own_link
from mailer.messages import Content, Stationery

Payload = Mapping[str, Any]


def compose(stationery: Stationery, project: Project | None, notice: Notice, now: datetime) -> Envelope:
    """Return the message of a notice, in its language; raises `Invalid` when it is unfit to be sent."""
    assert notice.id is not None
    number = stationery.service.keyring.message_id_of_notice(notice.id, notice.created_at)
    content = render(stationery, project, notice.kind, notice.language, notice.payload)
    envelope = messages.notice(stationery, content, notice.email, message_id=number, now=now)
    messages.verify(envelope)
    return envelope


def render(
    stationery: Stationery, project: Project | None, kind: Kind, language: Language, payload: Payload
) -> Content:
    """Return the letter of that kind with what its payload says."""
    frame = layouts.frame(stationery, project, language)
    values = frame | _VALUES[kind](stationery, language, payload)
    texts, folder = stationery.texts, f"email/{kind}"
    values["subject"] = texts.render(f"{folder}/subject.txt", language, **values).strip()
    mjml = texts.render(f"{folder}/body.mjml", language, **values)
    return Content(
        subject=values["subject"],
        html=layouts.inline(layouts.to_html(mjml)),
        text=texts.render(f"{folder}/body.txt", language, **values),
        language=language,
    )


def _confirm(stationery: Stationery, language: Language, payload: Payload) -> dict[str, Any]:
    link = stationery.service.url(f"/confirm/{payload['secret']}?language={language}")
    return {"link": link, "addressee": payload["name"], "by_chat": payload["by_chat"]}


def _welcome(stationery: Stationery, language: Language, payload: Payload) -> dict[str, Any]:
    service = stationery.service
    token = service.keyring.sign_unsubscribe(payload["subscriber_id"])
    links = links_for(service, language, "/archive", own_link(service, language, token))
    return {"addressee": payload["name"], "events_url": service.url(f"/events?language={language}"), **links}


def _preferences(stationery: Stationery, language: Language, payload: Payload) -> dict[str, Any]:
    link = stationery.service.url(f"/preferences/{payload['secret']}?language={language}")
    return {"link": link, "addressee": payload["name"]}


def _question(stationery: Stationery, _language: Language, payload: Payload) -> dict[str, Any]:
    return {
        "question_id": payload["question_id"],
        "text": payload["text"],
        "asked_language": Language(payload["language"]),
        "asked_at": datetime.fromisoformat(payload["asked_at"]),
        "time_zone": stationery.service.zone,
    }


_VALUES: Mapping[Kind, Callable[[Stationery, Language, Payload], dict[str, Any]]] = {
    Kind.CONFIRM: _confirm,
    Kind.WELCOME: _welcome,
    Kind.PREFERENCES: _preferences,
    Kind.QUESTION: _question,
}
