"""The newest letters of the archive."""

from bot.letters import neutral_subject
from bot.turns import Turn
from domain import archives, projects
from domain.archives import Issue
from domain.languages import choose
from domain.projects import Project
from wording.formats import day

_NEWEST = 5


async def show(turn: Turn) -> None:
    """Answer /news; before the first letter, offer to subscribe."""
    issues = await archives.issues(turn.session, limit=_NEWEST)
    project = await projects.find(turn.session)
    entries = [_entry(turn, issue, project) for issue in issues]
    html = turn.words("news.html", letters=entries, archive=turn.page("/archive"))
    turn.show(html, ((turn.button("subscribe", "go:subscribe"),),))


def _entry(turn: Turn, issue: Issue, project: Project | None) -> dict[str, str]:
    language = choose([turn.language], issue.headings)
    return {
        "subject": neutral_subject(issue.headings[language].subject, project, turn.service),
        "url": turn.page(f"/archive/{issue.campaign_id}"),
        "day": day(issue.started_at.astimezone(turn.service.zone), turn.language),
    }
