"""The pages as HTML: they work without scripts, name nobody, blame nobody, load nothing from elsewhere."""

from __future__ import annotations

import re
import shlex
from html import unescape
from html.parser import HTMLParser

import httpx
import msgspec
import pytest

from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, MINUTE, Instant
from monitor.core.model.near_miss import Cited, Dismissal, Margin
from monitor.core.model.reasons import Missing
from monitor.decode.canonical import decode_line
from monitor.ports import Unavailable
from monitor.review import wording as words
from monitor.review.rendering import HERE, STATIC
from tests.review.conftest import Desk
from tests.support import records

TEMPLATES = HERE / "templates"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Seen(HTMLParser):
    """Tags with their attributes, and the ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(attribute)) is not None]


async def page(desk: Desk, path: str, status: int = 200) -> str:
    answer = await desk.http.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


@pytest.mark.parametrize(
    "path", ["/", "/setup", "/?show=all", "/near-misses/nm-000", "/near-misses/nm-002", "/near-misses/none"]
)
async def test_a_page_is_self_contained_and_well_made(desk: Desk, path: str) -> None:
    await desk.put(*records.several(records.MONDAY))
    seen = Seen(await page(desk, path, 404 if path.endswith("none") else 200))
    ids = seen.values("id")
    assert len(ids) == len(set(ids))
    assert not seen.values("style")
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on")]
    for tag, attributes in seen.tags:
        assert tag != "style"
        loaded = [attributes.get("src"), attributes.get("href") if tag == "link" else None]
        for address in filter(None, loaded):
            assert address.startswith("/static/")
            assert (await desk.http.get(address)).status_code == 200
        if tag == "script":
            assert attributes.get("src"), "no script inside of the page"
    labelled = set(seen.values("for"))
    for tag, attributes in seen.tags:
        if tag == "textarea" or (tag == "input" and attributes.get("type") not in ("hidden", "radio")):
            assert attributes["id"] in labelled


async def test_the_answer_forbids_what_the_page_does_not_need(desk: Desk) -> None:
    headers = (await desk.http.get("/")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


async def test_the_queue_shows_what_decides_where_to_look_first(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY))
    html = await page(desk, "/")
    for shown in (
        "2 of 6 pods left",
        "Impact unverified",
        "Users spared",
        "seen 3 times",
        "evidence incomplete: no feed watches users, a feed was silent",
        "3 h ago",
    ):
        assert shown in html
    assert re.search(r"To review\s*<span class=\"tab__count\">10</span>", html)


async def test_an_empty_queue_says_what_to_expect_and_how_to_check(desk: Desk) -> None:
    html = await page(desk, "/")
    assert "Nothing to review" in html
    (command,) = re.findall(r"<code>(curl .*?)</code>", html)
    words = shlex.split(unescape(command))
    assert words[2] == "http://localhost:8080/ingest/events"
    assert decode_line(words[-1].encode()).kind == "note.added"
    assert "nearmiss rejects list" in html
    assert "Nothing matches" in await page(desk, "/?text=nothing")


async def test_an_empty_queue_knows_why_it_is_empty(desk: Desk) -> None:
    assert "no event has arrived" in await page(desk, "/")
    desk.metrics.events_received.inc("other", 3)
    assert "Events arrive, nothing matched yet" in await page(desk, "/")
    assert "3 events arrived" in await page(desk, "/")
    desk.metrics.set_engine_gauges({"open_episodes": 2.0})
    assert "2 candidates wait" in await page(desk, "/")
    await desk.put(records.draft())
    await desk.accept()
    html = await page(desk, "/")
    assert "Everything is judged" in html
    assert "1 accepted, 0 dismissed." in html
    assert "2 candidates wait for the end of the hold" in html
    assert "curl" not in html


async def test_more_is_loaded_by_key(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY, 30))
    first = Seen(await page(desk, "/"))
    (more,) = [address for address in first.values("hx-get") if address.startswith("/?")]
    rows = [name for name in first.values("id") if name.startswith("row-")]
    rows += [name for name in Seen(await page(desk, more)).values("id") if name.startswith("row-")]
    assert len(rows) == 30
    assert set(rows) == {f"row-nm-{place:03}" for place in range(30)}


async def test_saves_by_automation_wait_in_the_digest(desk: Desk) -> None:
    await desk.put(records.draft("live"), records.draft("auto", mode="digest", family="automation"))
    assert "row-auto" not in await page(desk, "/")
    html = await page(desk, "/?show=digest")
    assert "row-auto" in html
    assert "row-live" not in html


async def test_a_draft_shows_its_case_and_people_by_role_only(desk: Desk) -> None:
    await desk.put(records.draft(verdict="unknown"))
    html = await page(desk, "/near-misses/nm-1")
    for shown in (
        "someone on call",
        "a person off rotation",
        "No feed watches invoices",
        "1 h 56 min",
        words.MISSING[Missing.FEED_GAP],
        "How much later would it have been too late?",
        "WAL keeps growing",
        "https://alerts.example.com/a1",
        "22 min from first sign to action",
        "3 more context",
        "Were any users hit?",
    ):
        assert shown in html, shown
    for hidden in ("Ada Lovelace", "u-17", "u-99"):
        assert hidden not in html


async def test_the_words_do_not_ask_why(desk: Desk) -> None:
    await desk.put(records.draft(verdict="unknown"))
    text = re.sub(r"<[^>]+>", " ", await page(desk, "/near-misses/nm-1")).lower()
    assert not re.findall(r"\bwhy\b|\bblame|\bfault\b|\broot cause\b|\berror by\b|\bmistake", text)


async def test_what_tools_sent_is_quoted_and_never_run(desk: Desk) -> None:
    evil = "<script>alert(1)</script>"
    event = records.event("x", "alert.fired", 0, title=evil, url="javascript:alert(1)", labels={"l": evil})
    cited = records.evidence()[0].__class__("hazard", event)
    await desk.put(records.draft(title=evil, service=evil, evidence=(cited,), explanation=(evil,)))
    for path in ("/", "/near-misses/nm-1"):
        html = await page(desk, path)
        assert evil not in html
        assert "javascript:" not in html
    assert (await desk.http.get("/", params={"text": evil})).text.count(evil) == 0


async def test_a_draft_is_accepted_by_a_plain_form(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY, 2))
    form = {"decision": "accept", "expected_version": "1", "why_near_miss": "It was close", "what_saved_it": "A habit"}
    answer = await desk.http.post("/near-misses/nm-000/decision", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/near-misses/nm-000?done=accept")
    html = await page(desk, answer.headers["location"])
    assert "Accepted. Thank you" in html
    assert 'href="/near-misses/nm-001" autofocus>Next draft' in html
    assert "A habit" in html
    assert "accepted it as a near miss" in html


async def test_a_form_with_something_missing_keeps_what_was_typed(desk: Desk) -> None:
    await desk.put(records.draft(verdict="unknown"))
    form = {"decision": "accept", "expected_version": "1", "what_saved_it": "A habit of ours"}
    answer = await desk.http.post("/near-misses/nm-1/decision", data=form)
    assert answer.status_code == 422
    assert "A habit of ours</textarea>" in answer.text
    assert answer.text.count('class="error"') == 2


async def test_a_row_that_is_incomplete_gets_its_panel_again(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.http.post(
        "/near-misses/nm-1/decision", data={"decision": "accept"}, headers={"hx-request": "1"}
    )
    assert (answer.status_code, answer.headers["hx-retarget"]) == (422, "#panel-nm-1")
    assert answer.text.lstrip().startswith("<form")


async def test_a_row_is_dismissed_and_offers_to_undo_it(desk: Desk) -> None:
    await desk.put(records.draft())
    form = {"decision": "dismiss", "reason": "routine_hygiene", "expected_version": "1"}
    answer = await desk.http.post("/near-misses/nm-1/decision", data=form, headers={"hx-request": "1"})
    assert answer.status_code == 200
    assert "Dismissed" in answer.text
    assert "Undo" in answer.text
    undone = await desk.http.post(
        "/near-misses/nm-1/decision", data={"decision": "reopen", "expected_version": "2"}, headers={"hx-request": "1"}
    )
    assert "Reopened" in undone.text


async def test_the_second_of_two_people_sees_what_the_first_one_did(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.decide("nm-1", decision="dismiss", reason="test_or_drill")
    form = {"decision": "accept", "expected_version": "1", "why_near_miss": "It was close"}
    plain = await desk.http.post("/near-misses/nm-1/decision", data=form)
    row = await desk.http.post("/near-misses/nm-1/decision", data=form, headers={"hx-request": "1"})
    for answer in (plain, row):
        assert answer.status_code == 409
        assert "Reviewer dismissed it (test or drill)" in answer.text


async def test_a_draft_that_changed_under_the_hands_keeps_what_was_typed(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.decide("nm-1", decision="start_review")
    form = {"decision": "accept", "expected_version": "1", "why_near_miss": "It was very close"}
    row = await desk.http.post("/near-misses/nm-1/decision", data=form, headers={"hx-request": "1"})
    assert row.status_code == 409
    assert "It was very close</textarea>" in row.text
    assert 'name="expected_version" value="2"' in row.text
    plain = await desk.http.post("/near-misses/nm-1/decision", data=form)
    assert "It was very close</textarea>" in plain.text


async def test_comments(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.http.post("/near-misses/nm-1/comments", data={"text": "Slots\nagain"})
    assert answer.status_code == 303
    assert "Slots\nagain" in await page(desk, "/near-misses/nm-1")
    assert (await desk.http.post("/near-misses/nm-1/comments", data={"text": " "})).status_code == 422


@pytest.mark.parametrize(
    ("prepare", "shown"),
    [("withdraw", "users were hit within a day after"), ("contradict", "Contradicted after the decision")],
)
async def test_late_impact_is_said_aloud(desk: Desk, prepare: str, shown: str) -> None:
    await desk.put(records.draft())
    if prepare == "contradict":
        await desk.accept()
    await desk.withdraw("nm-1", records.event("s1", "impact.started", 300, source="statuspage", title="Some errors"))
    html = await page(desk, "/near-misses/nm-1")
    assert shown in html
    assert "Some errors" in html
    for path in ("/near-misses/nm-1", "/?show=all"):
        assert "Users were hit</span>" in await page(desk, path)


async def test_what_a_reviewer_said_first_contradicts_nothing(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.decide("nm-1", decision="dismiss", reason="had_user_impact")
    await desk.withdraw("nm-1", *await desk.journal())
    for path in ("/near-misses/nm-1", "/?show=dismissed"):
        html = await page(desk, path)
        assert "Contradicted" not in html
        assert "Users were hit</span>" in html


async def test_a_store_that_is_away_is_said_on_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(desk.store.near_misses, "page", away)
    answer = await desk.http.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "retry-after" in answer.headers
    assert "Database unavailable" in answer.text


@pytest.mark.parametrize(("path", "kind"), [("/", "text/html"), ("/api/v1/near-misses", "application/problem+json")])
async def test_a_defect_is_said_without_its_insides(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(desk.store.near_misses, "page", broken)
    outside = httpx.ASGITransport(desk.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=outside, base_url="http://localhost") as client:
        answer = await client.get(path)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith(kind)
    assert "bug in nearmiss" in answer.text
    assert "the inside" not in answer.text
    assert "content-security-policy" in answer.headers


async def test_the_page_offers_every_reason(desk: Desk) -> None:
    await desk.put(records.draft())
    for path in ("/near-misses/nm-1", "/near-misses/nm-1/panel/dismiss"):
        assert set(Dismissal) <= set(Seen(await page(desk, path)).values("value"))


async def test_a_search_that_finds_nothing_here_can_be_made_everywhere(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY))
    html = await page(desk, "/?show=accepted&text=certificate")
    assert "/?show=all&amp;text=certificate" in html
    assert "Nothing matches" not in await page(desk, "/?show=all&text=certificate")
    assert "Look among all records" not in await page(desk, "/?show=all&text=nothing")


async def test_the_service_and_the_rule_of_a_row_narrow_the_view_that_they_stand_in(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY))
    for show, within in (("", ""), ("all", "show=all&")):
        hrefs = Seen(await page(desk, f"/?show={show}" if show else "/")).values("href")
        assert f"/?{within}service=gateway" in hrefs
        assert f"/?{within}rule=certificate-thin-margin" in hrefs


def hints(html: str) -> str:
    return html.partition('class="keys"')[2].partition("</p>")[0]


async def test_keys_are_told_where_they_do_something(desk: Desk) -> None:
    assert 'class="keys"' not in await page(desk, "/?show=accepted")
    await desk.put(*records.several(records.MONDAY))
    assert "accept" in hints(await page(desk, "/"))
    answer = await desk.decide("nm-000", decision="dismiss", reason="routine_hygiene")
    assert answer.status_code == 200, answer.text
    keys = hints(await page(desk, "/?show=dismissed"))
    assert "<kbd>j</kbd>" in keys
    assert "<kbd>a</kbd>" not in keys


async def test_what_is_wrong_with_an_address_is_said_once(desk: Desk) -> None:
    html = await page(desk, "/?show=bogus", 422)
    assert html.count("Input should be") == 1


async def test_evidence_of_several_days_says_which_day(desk: Desk) -> None:
    long = records.draft("nm-long")
    first = long.evidence[0]
    early = msgspec.structs.replace(first.event, id="early", time=Instant(first.event.time - 2 * DAY))
    cited = (Cited("context", early), *long.evidence)
    await desk.put(records.draft("nm-short"), msgspec.structs.replace(long, evidence=cited))
    told = f">{words.day(early.time)}, {words.clock(early.time, seconds=True)}<"
    assert told in await page(desk, "/near-misses/nm-long")
    assert f">{words.clock(first.event.time, seconds=True)}<" in await page(desk, "/near-misses/nm-short")


async def test_environment_and_first_sign_are_each_event_s_own(desk: Desk) -> None:
    """A failure in staging is not shown as production, and context is not taken for the first sign."""
    draft = records.draft()
    staging = [
        Cited(each.role, msgspec.structs.replace(each.event, environment="staging")) if each.role == "hazard" else each
        for each in draft.evidence
    ]
    await desk.put(msgspec.structs.replace(draft, evidence=tuple(staging)))
    html = await page(desk, "/near-misses/nm-1")
    assert "<dd>staging, production</dd>" in html
    assert "payments-db · staging · high" in html
    assert "The list begins 38 min before the first sign" in html
    assert '<span class="fact">staging, production</span>' in await page(desk, "/")


def test_a_class_that_stands_for_two_things_has_no_look_of_its_own() -> None:
    """What is folded in the queue and what unfolds on a page are two things."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    rows = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("queue.html", "draft.html", "_timeline.html")]
    assert re.findall(r"^\.fold \{", style, re.MULTILINE) == []
    assert re.findall(r'<(\w+) class="folded"', "".join(rows)) == ["aside"]
    assert set(re.findall(r'<(\w+) class="fold[" ]', "".join(rows))) == {"details"}


async def test_what_hit_users_is_not_called_a_likely_rescue(desk: Desk) -> None:
    await desk.put(records.draft())
    assert "Likely a rescue" in (await desk.http.get("/?show=all")).text
    await desk.withdraw("nm-1", records.event("i9", "impact.started", 30))
    row = (await desk.http.get("/?show=withdrawn")).text
    assert "Users were hit" in row
    assert "Likely a rescue" not in row
    page = (await desk.http.get("/near-misses/nm-1")).text
    assert "Before users were known to be hit: " in page


async def test_acted_after_counts_from_the_first_sign_of_the_whole_draft(desk: Desk) -> None:
    """Also where the story that names the draft began later: its own span stands beside the title."""
    draft = records.draft(margin=Margin("elapsed", 60.0, "seconds", "1 min"))
    await desk.put(draft)
    html = (await desk.http.get("/near-misses/nm-1")).text
    whole = say_duration(draft.intervened_at - draft.first_sign_at)
    assert whole != "1 min"
    assert f"<dt>Acted after</dt><dd>{whole}</dd>" in html
    assert '<p class="head__margin">1 min to action</p>' in html


async def test_the_first_page_says_that_nobody_is_watched(desk: Desk) -> None:
    assert "No page lists or counts what a person did." in (await desk.http.get("/")).text


async def test_the_address_says_the_order(desk: Desk) -> None:
    await desk.put(
        *(records.draft(f"nm-{n}", rank=float(n), base=records.BASE + (7 * n % 4) * MINUTE) for n in range(4))
    )
    seen = {}
    for sort in ("", "newest", "oldest"):
        html = (await desk.http.get("/", params={"sort": sort})).text
        assert f'<option value="{sort}" selected>' in html
        seen[sort] = re.findall(r'id="row-nm-(\d)"', html)
    assert seen == {"": ["3", "2", "1", "0"], "newest": ["1", "2", "3", "0"], "oldest": ["0", "3", "2", "1"]}
    assert (await desk.http.get("/?sort=sideways")).status_code == 422


async def test_further_pages_keep_the_order(desk: Desk) -> None:
    drafts = [records.draft(f"nm-{n:02}", rank=float(n % 7), base=records.BASE + n * MINUTE) for n in range(30)]
    await desk.put(*drafts)
    html = (await desk.http.get("/?sort=oldest")).text
    (more,) = re.findall(r'class="button" href="(/\?[^"]*after=[^"]*)"', html)
    assert "sort=oldest" in more
    rest = (await desk.http.get(unescape(more))).text
    assert re.findall(r'id="row-nm-(\d\d)"', html + rest) == [f"{n:02}" for n in range(30)]
