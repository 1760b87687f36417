"""Whom a comment calls: teams that are known, never a person; the page says who was asked, and who is nobody."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.review.mentions import MOST, Mentions, mentions, parts
from tests.review.conftest import Desk
from tests.support import records

KNOWN = ["payments", "team-storage", "web"]
CATALOGUE = Catalogue(
    services={name: Service(name, owner=owner) for name, owner in (("db", "team-storage"), ("shop", "web"))}
)


@pytest.mark.parametrize(
    ("text", "teams", "unknown"),
    [
        ("@team-storage, did you see this?", ["team-storage"], []),
        ("Ask @Payments. Or @web.", ["payments", "web"], []),
        ("@web @web (@web)", ["web"], []),
        ("Is @ada around?", [], ["ada"]),
        ("Write to ops@web or <@U123>, see https://git.example/@web", [], []),
        ("@ web, @-web, @", [], []),
        ("", [], []),
    ],
)
def test_a_team_is_called_by_its_name(text: str, teams: list[str], unknown: list[str]) -> None:
    assert mentions(text, KNOWN) == Mentions(tuple(teams), tuple(unknown))
    assert "".join(piece for piece, _ in parts(text, KNOWN)) == text


def test_a_comment_calls_a_few_teams_and_not_everybody() -> None:
    names = [f"team-{number}" for number in range(MOST + 3)]
    assert mentions(" ".join(f"@{name}" for name in names), names).teams == tuple(names[:MOST])


async def test_a_team_that_may_not_see_the_record_is_not_asked_and_the_writer_is_told(desk: Desk) -> None:
    desk.ask_at_most(3, CATALOGUE)
    await desk.put(records.draft("nm-1", service="shop", services=("shop",)))
    html = (await desk.http.get("/near-misses/nm-1")).text
    assert "Write <b>@web</b> to ask that team in its chat." in html
    assert "Other teams are asked once the record is shared." in html
    text = {"text": "@team-storage and @web, please look"}
    refused = "Not asked: team-storage may not see this record. A lead can share it with the organisation first."
    answer = await desk.http.post("/near-misses/nm-1/comments", data=text, follow_redirects=True)
    assert "web: asked in its chat, where one is configured." in answer.text
    assert refused in answer.text
    row = await desk.http.post("/near-misses/nm-1/comments", data=text, headers={"hx-request": "true"})
    assert refused in row.text


async def test_the_page_says_who_was_asked(desk: Desk) -> None:
    desk.ask_at_most(3, CATALOGUE)
    await desk.put(records.draft("nm-1"))
    await desk.http.post("/api/v1/near-misses/nm-1/settle", json={"move": "share", "share": "organisation"})
    html = (await desk.http.get("/near-misses/nm-1")).text
    assert "Write <b>@team-storage</b> to ask that team in its chat. Nobody is paged." in html
    text = {"text": "@team-storage <b>look</b>, and @ada too"}
    answer = await desk.http.post("/near-misses/nm-1/comments", data=text, follow_redirects=True)
    assert "team-storage: asked in its chat, where one is configured." in answer.text
    assert "No team is called ada: nobody was asked." in answer.text
    assert "<strong>@team-storage</strong> &lt;b&gt;look&lt;/b&gt;, and @ada too" in answer.text


async def test_without_teams_nothing_is_promised(desk: Desk) -> None:
    await desk.put(records.draft("nm-1"))
    assert "in its chat" not in (await desk.http.get("/near-misses/nm-1")).text
