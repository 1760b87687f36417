"""One table of bad input through every form in which a record leaves: pages, chats, Markdown, mail, CSV, calendar.

Each text stands in every field that somebody else fills in: of events, of the draft, and of what people type.
"""

from __future__ import annotations

import csv
import email.policy
import io
import json
import unicodedata
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from monitor.chat.apprise_sender import AppriseSender
from monitor.chat.bulletin import Bulletin, Line, Section, as_blocks, as_markdown, as_text
from monitor.chat.planner import record_subject
from monitor.chat.record_text import record_bulletin
from monitor.chat.slack_blocks import day_content, record_content
from monitor.chat.slack_views import accept_view, dismiss_view, notice_view, weird_view
from monitor.chat.told import Earlier
from monitor.chat.webhook_sender import incident_body
from monitor.core.model.near_miss import Cited, Draft, Margin, Reason, State
from monitor.ports import Record
from monitor.ports.chat import Letter
from tests.review.conftest import Desk
from tests.support import records
from tests.support.corpus import BIDI, CORPUS, ZERO_WIDTH
from tests.support.slack import check_blocks

ADDRESS = "https://nearmiss.example.com"
OURS = "nearmiss.example.com"
RECORD = "nm-1"


def hostile(text: str) -> Draft:
    """A draft with the text in every field of its own and of its events that holds words."""
    name = text[:200]
    fields: dict[str, Any] = {
        "title": text,
        "url": text,
        "subject": name,
        "service": name,
        "environment": name,
        "source": name,
        "severity": "high",
        "labels": {"a": text, name: name, "assignee": text},
        "actor": records.ON_CALL,
    }
    told = [
        Cited("hazard", records.event("a1", "alert.fired", 0, **fields)),
        Cited("context", records.event("n1", "note.added", 3, **fields)),
        Cited("intervention", records.event("c1", "change.ran", 22, **fields)),
        Cited("recovery", records.event("r1", "alert.resolved", 27, **fields)),
    ]
    return records.draft(
        RECORD,
        title=text[:300],
        service=name,
        services=(name,),
        environment=name,
        evidence=tuple(told),
        explanation=(text,),
        questions=(text,),
        margin=Margin("headroom", 3.0, name, text[:200], 100.0),
        reasons=(Reason("recognised", 2.0, text),),
    )


class Page(HTMLParser):
    """What a browser would run or open of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.wrong.append(f"a script: {given}")
        if tag in ("iframe", "object", "embed", "base") or (tag == "img" and "onerror" in given):
            self.wrong.append(tag)
        for name, value in given.items():
            if name.startswith("on") or name == "style" or (tag == "meta" and value == "refresh"):
                self.wrong.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction", "hx-get", "hx-post", "xlink:href"):
                self._address(tag, name, value)

    def _address(self, tag: str, name: str, value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in ("", "http", "https") or "@" in parts.netloc or not parts.netloc.isascii():
            self.wrong.append(f"{tag} {name}={value[:80]!r}")


def unseen(text: str) -> set[str]:
    return set(text) & set(BIDI + ZERO_WIDTH)


async def on_pages(desk: Desk, text: str) -> None:
    """Before and after it is judged: what follows finds an accepted record."""
    await desk.put(hostile(text))
    await desk.http.post(f"/api/v1/near-misses/{RECORD}/comments", json={"text": text})
    places = [
        "/",
        "/?show=all",
        f"/?text={quote(text[:200])}",
        f"/?service={quote(text[:200])}",
        f"/?team={quote(text[:100])}",
    ]
    places += [f"/near-misses/{RECORD}{rest}" for rest in ("", "/panel/accept", "/panel/merge", "/export", "?around=1")]
    places += [f"/bulk?id={RECORD}", "/watching", "/setup", "/sources", "/report"]
    pages = [await desk.http.get(place) for place in places]
    refused = {"decision": "accept", "why_near_miss": "", "what_saved_it": text[:9_000], "expected_version": "1"}
    pages.append(await desk.http.post(f"/near-misses/{RECORD}/decision", data=refused))
    await judged(desk, text)
    pages += [await desk.http.get(f"/near-misses/{RECORD}{rest}") for rest in ("", "/learning", "/export")]
    pages.append(await desk.http.get("/?show=accepted"))
    for page in pages:
        assert page.status_code in (200, 422), (page.url, page.status_code)
        assert Page(page.text).wrong == [], page.url
        assert not unseen(page.text), page.url
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def judged(desk: Desk, text: str) -> None:
    answers = {"why_near_miss": f"It: {text}"[:9_000], "what_saved_it": text, "users_hit": False}
    assert (await desk.decide(RECORD, decision="accept", answers=answers)).status_code == 200
    keep = {"move": "keep_open", "condition": text[:400], "days": 7}
    assert (await desk.http.post(f"/api/v1/near-misses/{RECORD}/settle", json=keep)).status_code in (200, 422)


async def stored(desk: Desk) -> Record:
    return await desk.store.near_misses.get(RECORD)


def bulletins(record: Record, text: str) -> Iterator[Bulletin]:
    yield record_bulletin(record, "open", None, ADDRESS)
    yield record_bulletin(record, "dismiss", text[:100], ADDRESS)
    lines = (Line(text, text), Line(text, f"{ADDRESS}/near-misses/{RECORD}"))
    yield Bulletin(text, (Section("Hazards", lines),), f"{ADDRESS}/told")


def pieces(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of blocks with the kind of the object that holds it, and every address."""
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and name in ("text", "url"):
                yield (name if name == "url" else str(value.get("type")), each)
            yield from pieces(each)
    elif isinstance(value, list):
        for each in value:
            yield from pieces(each)


async def in_slack(desk: Desk, text: str) -> None:
    draft = hostile(text)
    record = Record(draft, State.DRAFT, 1)
    decided = await stored(desk)
    contents = [
        record_content(record, ADDRESS),
        record_content(decided, ADDRESS),
        day_content(text[:150], "Monday", []),
    ]
    told = [(each.text, each.blocks) for each in contents]
    told += [as_blocks(each) for each in bulletins(decided, text)]
    for fallback, blocks in told:
        check_blocks(blocks, {"header", "rich_text", "actions"})
        # The fallback is markup to Slack; everything else must say that it is none.
        for meaning in ("<!", "<@", "<#", "<http"):
            assert meaning not in fallback
        for kind, piece in pieces(blocks):
            assert kind in ("text", "link", "plain_text", "url"), kind
            assert not unseen(piece)
            if kind == "url":
                assert urlsplit(piece).netloc in (OURS, "evil.example")
                assert "@" not in urlsplit(piece).netloc
    for view in (
        accept_view(record),
        dismiss_view(record),
        weird_view("t", records.MONDAY, text),
        notice_view("Note", text),
    ):
        for kind, _ in pieces(view):
            assert kind in ("plain_text", "text", "None"), kind


async def in_markdown(desk: Desk, text: str) -> None:
    record = await stored(desk)
    told = [as_markdown(each) for each in bulletins(record, text)]
    exported = (await desk.http.get(f"/api/v1/near-misses/{RECORD}/export", params={"format": "markdown"})).text
    for markdown in (*told, exported):
        for meaning in (
            "<script",
            "](java",
            "](data",
            "![",
            "<!channel",
            "<@U",
            "\n- [ ]",
            "\n# heading",
            "\n```",
            "\n> q",
            "<img",
            "<svg",
        ):
            assert meaning not in markdown
        assert not unseen(markdown)
        assert not {each for each in markdown if unicodedata.category(each) == "Cc"} - {"\n"}


class Mailbox:
    """Makes the mail that would be sent, which refuses a header of several lines."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    def __call__(self, title: str, body: str) -> bool:
        message = EmailMessage(policy=email.policy.SMTP)
        message["Subject"] = title
        message.set_content(body)
        self.sent.append(email.message_from_bytes(message.as_bytes(), policy=email.policy.SMTP))
        return True


async def in_mail(desk: Desk, text: str) -> None:
    record = await stored(desk)
    box = Mailbox()
    sender = AppriseSender(box, "mailto", desk.store.near_misses, ADDRESS)
    body = json.dumps({"record": RECORD, "team": text[:200], "action": "open"}).encode()
    now = records.MONDAY
    await sender.send([Letter("mail", "k", record_subject(RECORD), body, now, now)])
    (mail,) = box.sent
    assert sorted(name.lower() for name in mail) == [
        "content-transfer-encoding", "content-type", "mime-version", "subject"
    ]  # fmt: skip
    assert mail.get_content_type() == "text/plain"
    for shown in (str(mail["subject"]), *(as_text(each) for each in bulletins(record, text))):
        assert not {"\r"} & set(shown)
        assert not set(shown) & set(BIDI)
        for meaning in ("@channel", "@everyone", "<!channel", "](", "<script", "<https"):
            assert meaning not in shown
    assert len(str(mail["subject"])) < 400


async def in_a_table(desk: Desk, _: str) -> None:
    table = await desk.http.get("/api/v1/export.csv")
    head, *rows = list(csv.reader(io.StringIO(table.text)))
    assert len(rows) == 1
    assert len(rows[0]) == len(head)
    for cell in rows[0]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        assert not set(cell) & {"\r", "\n", "\x00", "\x1b", *BIDI}


async def in_a_webhook(_: Desk, text: str) -> None:
    impact = records.event("i1", "impact.started", 0, title=text, subject=text[:200], service=text[:200])
    found = [Earlier(RECORD, text[:300], int(records.BASE), "accepted", ("subject",))]
    body = json.loads(incident_body("k", impact, found, ADDRESS))
    assert body["near_misses"][0]["url"] == f"{ADDRESS}/near-misses/{RECORD}"
    for said in (body["text"], body["title"]):
        assert not set(said) & {"\r", "\x1b", *BIDI}
    for meaning in ("@channel", "<!channel", "<script", "]("):
        assert meaning not in body["text"]
    assert "\n" not in body["title"]
    assert len(json.dumps(body)) < 10_000


async def in_a_calendar(desk: Desk, _: str) -> None:
    answer = await desk.http.get(f"/near-misses/{RECORD}/learning.ics")
    lines = answer.text.split("\r\n")
    names = [line.partition(":")[0] for line in lines if line and not line.startswith(" ")]
    assert names == [
        "BEGIN", "VERSION", "PRODID", "BEGIN", "UID", "DTSTAMP", "DTSTART", "DURATION", "SUMMARY", "DESCRIPTION",
        "END", "END",
    ]  # fmt: skip
    assert max(len(line.encode()) for line in lines) <= 75
    assert not set(answer.text) & {"\x1b", *BIDI}


async def in_headers(desk: Desk, _: str) -> None:
    for place in ("export?format=markdown", "export", "export?format=json"):
        answer = await desk.http.get(f"/api/v1/near-misses/{RECORD}/{place}")
        assert "bcc" not in answer.headers
        for value in answer.headers.values():
            assert value.isascii()
            assert value.isprintable()


FORMS = (on_pages, in_slack, in_markdown, in_mail, in_a_table, in_a_webhook, in_a_calendar, in_headers)


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS.keys())
async def test_in_every_form_it_stays_text(desk: Desk, text: str) -> None:
    for form in FORMS:
        await form(desk, text)
