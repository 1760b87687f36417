"""The command `/nearmiss`: what a team has to judge, its shift report, and the form of a report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.slack_answers import SlackAnswers
from monitor.chat.slack_blocks import page_of
from monitor.chat.slack_requests import Request
from monitor.chat.slack_views import weird_view
from monitor.chat.teams import Team, Teams
from monitor.core.model.budget import team_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import UNDECIDED
from monitor.ports import Query
from monitor.review.service import Review

MOST_LISTED = 10
HELP = (
    "/nearmiss – what is to judge · /nearmiss shift [team] – tonight’s weather and what almost paged you · "
    "/nearmiss report – that’s weird"
)

ShiftOf = Callable[[Team], Awaitable[Bulletin]]


class SlackCommand:
    """`shift` makes the report of a team."""

    def __init__(
        self,
        answers: SlackAnswers,
        review: Review,
        teams: Teams,
        catalogue: Callable[[], Catalogue],
        shift: ShiftOf,
        address: str,
    ) -> None:
        self._answers, self._review, self._teams = answers, review, teams
        self._catalogue, self._shift, self._address = catalogue, shift, address

    async def answer(self, request: Request, at: Instant) -> None:
        word, _, rest = request.text("text").strip().partition(" ")
        team = self._team_for(request.text("channel_id"), rest.strip())
        match word:
            case "report" | "weird":
                await self._answers.open(request, weird_view(report_token(request), at, rest.strip()[:2000]))
            case "shift" if team is not None:
                await self._answers.answer(request, await self._shift(team))
            case "" | "list" if team is not None:
                await self._answers.answer(request, await self._listed(team))
            case _:
                await self._answers.whisper(request, HELP if team is not None else f"No team of that name. {HELP}")

    def _team_for(self, channel: str, name: str) -> Team | None:
        if name:
            return self._teams.named(name)
        here = self._teams.in_channel(channel)
        return here[0] if here else None

    async def _listed(self, team: Team) -> Bulletin:
        """The drafts that the team has to judge, in the order of the queue."""
        page = await self._review.page(Query(states=tuple(sorted(UNDECIDED)), modes=("live",)), None, 200)
        catalogue = self._catalogue()
        mine = [
            each for each in page.records if team.name == "*" or team_of(catalogue, each.draft.service) == team.name
        ]
        lines = tuple(Line(each.draft.title, page_of(self._address, each.draft.id)) for each in mine[:MOST_LISTED])
        url = f"{self._address.rstrip('/')}/" if self._address else None
        return Bulletin(f"{len(mine)} to judge", (Section("Highest first", lines, "All judged."),), url)


def report_token(request: Request) -> str:
    """One report for a form, however often it is sent."""
    return f"slack-{request.key}"[:200]
