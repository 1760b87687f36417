"""Reports and warnings from a real store: told once, also after a restart, and shown on their pages as text."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request

from monitor.chat.pages import build_chat_pages
from monitor.chat.reporter import Reporter
from monitor.chat.teams import Team
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.ports.chat import DestinationState
from monitor.review.auth import Person
from monitor.review.permissions import EVERYTHING, Access, Grants
from monitor.review.rendering import Pages
from tests.integration.chat.conftest import ADDRESS, CHANNEL, Office
from tests.support.records import draft, event

HOSTILE = "<script>alert(1)</script> \u202e[x](javascript:alert(1)) @channel"


def reporter(office: Office) -> Reporter:
    store = office.store
    return Reporter(
        store.history, store.near_misses, store.outbox, store.feed_cursors, office.teams(), lambda: office.catalogue,
        office.clock, office.metrics, ADDRESS,
    )  # fmt: skip


def recent(office: Office, id: str, kind: str, minutes: float, **fields: Any) -> Event:
    return event(id, kind, minutes, base=office.clock.now(), **fields)


def posted(office: Office) -> list[str]:
    return [json.dumps(each["blocks"], ensure_ascii=False) for each in office.slack.posted(thread=False)]


async def test_a_shift_report_is_told_once_also_by_another_process(office: Office) -> None:
    office.team = Team("*", channel=CHANNEL, shift=(time(8, 40), time(17)), weekly=0, daily=time(20))
    office.build()
    fired = recent(office, "a1", "alert.fired", -60, title=HOSTILE, subject="disk", url="javascript:alert(1)")
    await office.store.journal.append([fired])
    assert await reporter(office).tell() == 1
    assert await reporter(office).tell() == 0
    first = reporter(office)
    assert await first.tell() + await first.tell() == 0
    await office.postman.deliver("slack")
    (message,) = posted(office)
    assert "Tonight’s weather: Mon 08:40 to Mon 17:00" in message
    assert '"url": "javascript' not in message
    assert "\u202e" not in message


async def test_a_digest_waits_for_the_end_of_quiet_hours_and_a_shift_report_does_not(office: Office) -> None:
    office.team = Team("*", channel=CHANNEL, quiet=(time(8), time(9)), shift=(time(8, 40), time(17)), daily=time(8, 30))
    assert await reporter(office).tell() == 3  # before the shift, daily, weekly: it is a Monday
    due = await office.store.outbox.due("slack", office.clock.now(), 10)
    assert [letter.key.partition(":")[0] for letter in due] == ["before"]
    later = await office.store.outbox.due("slack", Instant(office.clock.now() + 30 * MINUTE), 10)
    assert [letter.key.partition(":")[0] for letter in later] == ["before", "daily", "weekly"]


async def foretold(office: Office) -> Reporter:
    """A near miss ten days ago, and impact of the same thing now."""
    await office.put(draft("nm-1", base=Instant(office.clock.now() - 10 * DAY), title=HOSTILE))
    made = reporter(office)
    assert await made.warn() == 0, "what was there before is no news"
    impact = recent(office, "i1", "impact.started", -1, subject="disk-pg-3", title="Payments fail")
    await office.store.journal.append([impact])
    return made


async def test_an_incident_with_earlier_near_misses_is_posted_and_listed_once(office: Office) -> None:
    made = await foretold(office)
    assert await made.warn() == 1
    assert await made.warn() == 0
    assert await reporter(office).warn() == 0
    office.build()
    await office.postman.deliver("slack")
    (message,) = posted(office)
    assert "It was close before" in message
    ((told, earlier),) = await made.told()
    assert (told.title, [each.record for each in earlier]) == ("Payments fail", ["nm-1"])
    assert office.count("nearmiss_foretold_incidents_total") == 1


@pytest.mark.parametrize(
    "fields", [{"subject": "something-else"}, {"subject": "disk-pg-3", "labels": {"record": "nm-1"}}]
)
async def test_other_impact_is_not_posted(office: Office, fields: dict[str, Any]) -> None:
    made = reporter(office)
    await office.put(draft("nm-1", base=Instant(office.clock.now() - 10 * DAY)))
    await made.warn()
    await office.store.journal.append([recent(office, "i1", "impact.started", -1, **fields)])
    assert await made.warn() == 0


async def test_old_impact_that_arrives_late_is_not_posted(office: Office) -> None:
    made = reporter(office)
    await office.put(draft("nm-1", base=Instant(office.clock.now() - 10 * DAY)))
    await made.warn()
    await office.store.journal.append([recent(office, "i1", "impact.started", -25 * 60, subject="disk-pg-3")])
    assert await made.warn() == 0


def pages_of(made: Reporter, office: Office, grants: Grants) -> FastAPI:
    async def someone(request: Request) -> None:
        request.state.person = Person("someone", "reviewer", grants)

    app = FastAPI()
    router = build_chat_pages(made, office.store.outbox, Pages())
    app.include_router(router, dependencies=[Depends(someone)])
    return app


async def test_who_may_see_one_team_sees_no_other(office: Office) -> None:
    made = await foretold(office)
    await made.warn()
    theirs = pages_of(made, office, Grants(teams={"search": Access.VIEWER}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(theirs), base_url="http://localhost") as http:
        for page in ("/shift?team=payments-db", "/shift.md?team=payments-db", "/chat"):
            assert (await http.get(page)).status_code == 403, page
        assert "Shift report of search" in (await http.get("/shift")).text
        assert "None so far" in (await http.get("/told")).text


async def test_the_pages_show_text_as_text(office: Office) -> None:
    made = await foretold(office)
    await made.warn()
    fired = recent(office, "a1", "alert.fired", -60, title=HOSTILE, url="javascript:alert(1)")
    await office.store.journal.append([fired])
    now = office.clock.now()
    await office.store.outbox.put_off(DestinationState("slack", 2, now, "Slack is away.", Instant(now + HOUR)))
    await office.store.outbox.take("slack", "x", now, now)
    app = pages_of(made, office, EVERYTHING)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        for page in ("/shift", "/shift?team=payments-db", "/told", "/chat"):
            answer = await http.get(page)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert 'href="javascript' not in answer.text
        markdown = await http.get("/shift.md", params={"team": "payments-db"})
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert "](javascript" not in markdown.text
    assert "&lt;script&gt;" in markdown.text


async def test_a_calendar_gives_the_shift_and_a_broken_one_says_so(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "calendar.ics"
    office.team = Team("*", channel=CHANNEL, calendar=str(file))
    made = reporter(office)
    by_clock = await made.calendars.shifts(office.team, office.clock.now())
    assert "cannot be read" in made.calendars.problems["*"]
    assert by_clock
    lines = [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "DTSTART:20260202T084500Z",
        "DTEND:20260202T170000Z",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    file.write_text("\n".join(lines))
    office.clock.advance(15 * MINUTE)
    (shift,) = await made.calendars.shifts(office.team, office.clock.now())
    assert shift.ends - shift.begins == 8 * HOUR + 15 * MINUTE
    assert made.calendars.problems == {}
    file.unlink()
    office.clock.advance(15 * MINUTE)
    assert await made.calendars.shifts(office.team, office.clock.now()) == [shift], "the last that could be read"
