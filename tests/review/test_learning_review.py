"""The review to learn from a record: whom it invites, what it asks, its calendar file, and the survey."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import Instant, to_instant
from monitor.review.learning_review import calendar_entry, invited, next_morning, questions
from tests.review.conftest import Desk
from tests.support import records

CATALOGUE = Catalogue({
    "payments-db": Service("payments-db", owner="storage"),
    "payments": Service("payments", depends_on=("payments-db",), owner="payments"),
    "checkout": Service("checkout", depends_on=("payments",), owner="shop"),
})  # fmt: skip


def test_it_invites_those_who_took_part_and_the_owners_around() -> None:
    asked = {each.who: each.why for each in invited(records.draft(services=("payments-db",)), CATALOGUE)}
    assert asked == {
        "Someone on call": "took part",
        "A person off rotation": "took part",
        "Team storage": "owns what nearly broke",
        "Team payments": "stands on it",
        "Team shop": "stands on it",
    }


def test_it_asks_what_every_review_asks_and_what_happened() -> None:
    assert questions(records.draft())[3:] == list(records.draft().questions)
    assert len(questions(records.draft(questions=("?",) * 9))) == 6


def test_it_is_on_the_next_working_day() -> None:
    friday = to_instant(datetime(2026, 2, 6, 16, 0, tzinfo=UTC))
    assert next_morning(friday) == to_instant(datetime(2026, 2, 9, 10, 0, tzinfo=UTC))


def test_the_calendar_file_is_one_that_calendars_read() -> None:
    title = "A, b; c\\d\r\nATTENDEE:mailto:evil@example.com " + "é" * 60
    text = calendar_entry(records.draft(title=title), records.MONDAY, Instant(records.MONDAY), "http://localhost/x")
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert not any(line.startswith("ATTENDEE") for line in lines)
    unfolded = text.replace("\r\n ", "")
    assert "SUMMARY:Learn from a near miss: A\\, b\\; c\\\\d\\nATTENDEE" in unfolded
    assert "DTSTART:20260202T083000Z" in unfolded


async def test_the_page_its_file_and_the_survey(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.accept()
    assert "/near-misses/nm-1/learning" in (await desk.http.get("/near-misses/nm-1")).text
    page = (await desk.http.get("/near-misses/nm-1/learning")).text
    assert "What had to go right so that users noticed nothing?" in page
    assert "Ada Lovelace" not in page
    file = await desk.http.get("/near-misses/nm-1/learning.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert "http://localhost:8080/near-misses/nm-1/learning" in file.text.replace("\r\n ", "")

    sent = await desk.http.post("/near-misses/nm-1/survey", data={"learned": "yes", "worth": "no", "text": "Shorter"})
    assert sent.status_code == 303
    last = (await desk.get("/near-misses/nm-1/audit"))["items"][-1]
    assert last["by"] == "participant"
    assert last["note"].endswith("It was worth the time. No. Shorter")
    await desk.http.post("/near-misses/nm-1/survey", data={})
    assert len((await desk.get("/near-misses/nm-1/audit"))["items"]) == 3
