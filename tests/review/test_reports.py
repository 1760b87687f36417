"""Reports by people: what becomes of them, once however often they are sent, and what is said about a wrong one."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from monitor.core.deciding.engine import Engine
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.decisions import Ignore, Open
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant, to_text
from monitor.core.model.reasons import NotOpened
from monitor.packs.language.regex import make_regex
from monitor.ports import Unavailable
from tests.review.conftest import Desk
from tests.support.shipped import read_shipped

RULES = read_shipped()
SHOP = Catalogue({"shop": Service("shop", ("cart",), user_facing=True), "cart": Service("cart")}, frozenset({"live"}))


def said(desk: Desk, **changes: Any) -> dict[str, Any]:
    seen_at = to_text(Instant(desk.clock.now() - 3 * HOUR))
    report = {"token": "a-token-of-mine", "kind": "near_miss", "service": "cart", "story": "It was close",
              "seen_at": seen_at, "hurt": "no"}  # fmt: skip
    return {**report, **changes}


async def tell(desk: Desk, **changes: Any) -> Any:
    return await desk.http.post("/api/v1/reports", json=said(desk, **changes))


async def test_a_report_becomes_an_event_by_a_person_in_a_role(desk: Desk) -> None:
    answer = await tell(desk)
    assert answer.status_code == 201
    (event,) = await desk.journal()
    assert answer.json() == {"source": event.source, "id": event.id, "duplicate": False}
    assert (event.kind, event.service, event.title) == ("note.added", "cart", "It was close")
    assert event.actor is not None
    assert (event.actor.kind, event.actor.id) == ("human", None)
    assert event.labels == {"report": "near_miss", "hurt": "no", "reported_by": "reviewer"}
    assert (event.time, event.began_at) == (desk.clock.now(), desk.clock.now() - 3 * HOUR)
    assert desk.count("nearmiss_reports_total", kind="near_miss") == 1


async def test_the_same_token_is_the_same_report(desk: Desk) -> None:
    first = await tell(desk)
    desk.clock.advance(5 * MINUTE)
    again = await tell(desk, story="Said differently")
    assert again.status_code == 200
    assert again.json() == {**first.json(), "duplicate": True}
    await tell(desk, token="another-token")  # noqa: S106 - it marks a repetition and protects nothing
    assert [event.title for event in await desk.journal()] == ["It was close", "It was close"]
    assert desk.count("nearmiss_reports_total", kind="near_miss") == 2


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"story": " \n "}, "story", "describe what you saw in a sentence"),
        ({"story": "x" * 2001}, "story", "has 2001 characters"),
        ({"service": ""}, "service", "name the service"),
        ({"token": "short"}, "token", "8 to 200"),
        ({"seen_at": "yesterday"}, "seen_at", "RFC 3339"),
        ({"seen_at": "2026-01-05T10:00:00"}, "seen_at", "offset"),
        ({"seen_at": "2099-01-05T10:00:00Z"}, "seen_at", "is in the future"),
        ({"seen_at": "1999-01-05T10:00:00Z"}, "seen_at", "more than 30 days ago"),
        ({"kind": "gossip"}, "kind", "near_miss"),
        ({"hurt": "maybe"}, "hurt", "no"),
    ],
)
async def test_what_is_wrong_is_said_by_field(desk: Desk, changes: dict[str, str], field: str, message: str) -> None:
    answer = await tell(desk, **changes)
    assert answer.status_code == 422
    assert any(each["field"] == field and message in each["message"] for each in answer.json()["errors"]), answer.text
    assert await desk.journal() == []


async def test_everything_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    answer = await tell(desk, story="", service="", token="x")  # noqa: S106 - it marks a repetition
    assert {each["field"] for each in answer.json()["errors"]} == {"story", "service", "token"}


async def test_text_of_people_cannot_break_anything(desk: Desk) -> None:
    story = "line one\nline\x00two \x1b[31m " + "word " * 60
    assert (await tell(desk, story=story, service=" ca\x00rt ", hurt="unknown")).status_code == 201
    (event,) = await desk.journal()
    assert event.service == "ca rt"
    assert event.title is not None
    assert event.title.startswith("line one line two [31m word")
    assert len(event.title) <= 200
    assert event.labels["told"].endswith("word")


async def test_users_that_were_hit_make_it_impact(desk: Desk) -> None:
    assert (await tell(desk, hurt="yes")).status_code == 201
    ended, started, note = await desk.journal()
    assert (ended.kind, started.kind, note.kind) == ("impact.ended", "impact.started", "note.added")
    assert (started.time, ended.time, started.service) == (note.began_at, note.time, "cart")
    assert (await tell(desk, hurt="yes")).status_code == 200
    assert len(await desk.journal()) == 3


def decided(events: list[Event], hours: int) -> list[Any]:
    engine = Engine(RULES, SHOP, make_regex)
    return engine.step(events) + engine.tick(Instant(events[-1].time + hours * HOUR))


@pytest.mark.parametrize(("kind", "hours"), [("near_miss", 3), ("noticed_not_acted", 25)])
async def test_the_shipped_rules_make_a_draft_of_it_with_what_lay_around(desk: Desk, kind: str, hours: int) -> None:
    now = desk.clock.now()
    alert = Event(id="a", source="alerts", time=Instant(now - 2 * HOUR), kind="alert.fired", service="cart",
                  environment="live", severity="warning", subject="queue", title="the queue grows")  # fmt: skip
    await tell(desk, kind=kind)
    opened = [each for each in decided([alert, *(await desk.journal())], hours) if isinstance(each, Open)]
    assert len(opened) == 1
    draft = opened[0].draft
    assert "It was close" in draft.title
    assert draft.service == "cart"
    assert "a" in {cited.event.id for cited in draft.evidence}


async def test_no_draft_comes_of_a_report_that_users_were_hit(desk: Desk) -> None:
    await tell(desk, hurt="yes")
    found = decided(await desk.journal(), 30)
    assert not [each for each in found if isinstance(each, Open)]
    assert NotOpened.IMPACT_SEEN in {each.reason for each in found if isinstance(each, Ignore)}


# -- the page --------------------------------------------------------------------------------------------------


def field(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


async def filled(desk: Desk, **changes: str) -> dict[str, str]:
    page = (await desk.http.get("/report")).text
    form = {"token": field(page, "token"), "seen_at": field(page, "seen_at"), "kind": "near_miss",
            "service": "checkout", "story": "It was close", "hurt": "no"}  # fmt: skip
    return {**form, **changes}


async def test_the_form_sends_a_report_once(desk: Desk) -> None:
    form = await filled(desk)
    for _ in range(2):
        answer = await desk.http.post("/report", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/report?done=near_miss")
    assert len(await desk.journal()) == 1
    assert "Thank you" in (await desk.http.get("/report?done=near_miss")).text
    other = await filled(desk)
    assert other["token"] != form["token"]


async def test_what_was_typed_stays_when_something_is_missing(desk: Desk) -> None:
    form = await filled(desk, story="", service="c<b>art", seen_at="gibberish")
    answer = await desk.http.post("/report", data=form)
    assert answer.status_code == 422
    assert "Describe what you saw in a sentence." in answer.text
    assert "Give date and time" in answer.text
    assert field(answer.text, "token") == form["token"]
    assert field(answer.text, "service") == "c<b>art"
    assert "c<b>art" not in answer.text
    assert 'aria-describedby="story-error"' in answer.text
    assert 'value="near_miss" required checked' in answer.text
    empty = await desk.http.post("/report", data={})
    assert empty.status_code == 422
    # The names of values are for programs; people see the answers to choose from.
    assert "Choose what it was." in empty.text
    assert "Choose what it was." in empty.text
    assert "noticed_not_acted or" not in empty.text
    assert await desk.journal() == []


async def test_what_was_typed_stays_while_the_journal_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(events: object) -> None:
        raise Unavailable("gone")

    form = await filled(desk)
    with monkeypatch.context() as patched:
        patched.setattr(desk.store.journal, "append", away)
        answer = await desk.http.post("/report", data=form)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "It was close" in answer.text
    assert (await desk.http.post("/report", data=form)).status_code == 303


async def test_the_form_offers_the_services_of_the_catalogue(desk: Desk) -> None:
    page = (await desk.http.get("/report?service=pay%22ments")).text
    assert '<option value="checkout">' in page
    assert field(page, "service") == 'pay"ments'


async def test_a_report_of_long_ago_is_refused_with_a_reason(desk: Desk) -> None:
    old = to_text(Instant(desk.clock.now() - 31 * DAY))
    assert old is not None
    answer = await desk.http.post("/report", data=await filled(desk, seen_at=old[:16]))
    assert "more than 30 days ago" in answer.text


async def test_a_misspelt_service_is_asked_about_and_can_be_insisted_on(desk: Desk) -> None:
    answer = await desk.http.post("/report", data=await filled(desk, service="chekout"))
    assert answer.status_code == 422
    assert "No service is called “chekout”. Did you mean “checkout”?" in answer.text
    assert 'name="insist" value="chekout"' in answer.text
    for service in ("Checkout", " payments-db "):
        assert (await desk.http.post("/report", data=await filled(desk, service=service))).status_code == 303
    other = await desk.http.post("/report", data=await filled(desk, service="warehouse", insist="chekout"))
    assert "No service is called “warehouse”." in other.text
    assert "Did you mean" not in other.text
    insisted = await desk.http.post("/report", data=await filled(desk, service="chekout", insist="chekout"))
    assert insisted.status_code == 303
    assert "chekout" in {event.service for event in await desk.journal()}
