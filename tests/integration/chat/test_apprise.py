"""Other chats and mail: one message a change, tried again after a failure; mail goes out over a real connection."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from monitor.chat.apprise_sender import AppriseAddress, AppriseSender
from monitor.chat.postman import Postman
from monitor.chat.teams import Team
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.decisions import Withdraw
from monitor.core.model.events import SECOND
from monitor.core.model.near_miss import Move
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.risk import Handling, Share
from monitor.ports import Decide
from monitor.review.budget import ReviewBudget
from tests.integration.chat.conftest import ADDRESS, Office
from tests.support.records import draft

MAIL = "mailto of the team"


class Recorded:
    """Takes messages, or does not."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.answers: list[bool | Exception] = []

    def __call__(self, title: str, body: str) -> bool:
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        if answer:
            self.sent.append((title, body))
        return answer


@pytest.fixture
def notify() -> Recorded:
    return Recorded()


def postman(office: Office, notify: Recorded) -> Postman:
    office.team = Team("*", to={MAIL: "mailto://example.com"})
    sender = AppriseSender(notify, "mailto", office.store.near_misses, ADDRESS)
    budget = ReviewBudget(office.store.near_misses, lambda: office.catalogue, 0)
    return Postman(
        office.store.outbox, office.store.chat_inbox, {MAIL: sender}, office.store.near_misses, budget, office.teams(),
        lambda: office.catalogue, office.clock, office.metrics, "office", ADDRESS,
    )  # fmt: skip


async def test_each_change_is_one_message(office: Office, notify: Recorded) -> None:
    post = postman(office, notify)
    await office.put(draft("nm-1"))
    await office.commit(Withdraw("nm-1", Withdrawn.IMPACT_IN_WINDOW, office.clock.now(), ()))
    await post.hand_out()
    await post.deliver(MAIL)
    await post.deliver(MAIL)
    assert [title.partition(":")[0] for title, _ in notify.sent] == ["To judge", "Withdrawn"]
    assert "/near-misses/nm-1" in notify.sent[0][1]
    assert "users were hit within the window" in notify.sent[1][1]


@pytest.mark.parametrize("failure", [False, OSError("smtp://user:password@host is away"), ValueError("odd")])
async def test_a_failure_is_tried_again_and_names_no_secret(
    office: Office, notify: Recorded, failure: bool | Exception
) -> None:
    post = postman(office, notify)
    notify.answers = [failure]
    await office.put(draft("nm-1"))
    await post.hand_out()
    await post.deliver(MAIL)
    (lane,) = await office.store.outbox.lanes()
    assert (lane.failures, lane.waiting) == (1, 1)
    assert "password" not in str(lane.reason)
    office.clock.advance(5 * SECOND)
    await post.deliver(MAIL)
    assert len(notify.sent) == 1


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over a message."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (each := self.rfile.readline()) != b".\r\n":
                    lines.append(each)
                self.server.messages.append(b"".join(lines))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


@pytest.fixture
def smtp() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.daemon_threads = True
        server.messages = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_mail_shows_hostile_text_as_text(office: Office, smtp: socketserver.ThreadingTCPServer) -> None:
    port = smtp.server_address[1]
    address = AppriseAddress(f"mailto://127.0.0.1:{port}/?from=nearmiss@example.com&to=team@example.com&mode=insecure")
    sender = AppriseSender(address, "mailto", office.store.near_misses, ADDRESS)
    office.team = Team("*", to={MAIL: "mailto://example.com"})
    post = office.build()
    post._senders = {MAIL: sender}
    await office.put(draft("nm-1", title="<script>alert(1)</script>\r\nBcc: all@example.com \u202egpj"))
    await post.hand_out()
    await post.deliver(MAIL)
    (sent,) = smtp.messages  # type: ignore[attr-defined]
    message = email.message_from_bytes(sent, EmailMessage, policy=email.policy.default)
    assert message["bcc"] is None
    assert "\u202e" not in str(message["subject"])
    html = message.get_body(("html",))
    if html is not None:
        assert "<script>" not in html.get_content()
    text = message.get_body(("plain", "html"))
    assert text is not None
    assert "nm-1" in text.get_content()


async def test_a_team_that_a_comment_calls_is_asked_once(office: Office, notify: Recorded) -> None:
    post = postman(office, notify)
    office.catalogue = Catalogue(services={"web": Service("web", owner="team-web")})
    await office.put(draft("nm-1"))
    shared = Handling(share=Share.ORGANISATION)
    await office.store.near_misses.decide(Decide("nm-1", Move.SHARE, "lead", office.clock.now(), handling=shared))
    await post.hand_out()
    await post.deliver(MAIL)
    notify.sent.clear()
    said = "Was it your cache, @team-web?\nAnd @nobody, @everyone"
    await office.store.near_misses.comment("nm-1", "on-call", said, office.clock.now())
    office.clock.advance(SECOND)
    await office.store.near_misses.comment("nm-1", "on-call", "No team here, ada@team-web.example", office.clock.now())
    for _ in range(2):
        await post.hand_out()
        await post.deliver(MAIL)
    ((title, body),) = notify.sent
    assert title == f"A comment asks team-web: {draft().title}"
    # What a chat would take for a call of its own is none.
    assert "Was it your cache, @\u2060team-web?" in body
    assert "@\u2060everyone" in body
    assert "No team here" not in body
    assert "/near-misses/nm-1" in body
