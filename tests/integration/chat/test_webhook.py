"""A webhook is told of a foretold incident: once, signed, over a real connection, and again only after a failure."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_asyncio

from monitor.chat.apprise_allowed import PAGERS, NotAllowed
from monitor.chat.postman import Postman
from monitor.chat.reporter import Reporter
from monitor.chat.settings import ChatSettings
from monitor.chat.teams import Team
from monitor.chat.webhook_sender import WebhookSender, check_webhook
from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.decode.signatures import STANDARD
from monitor.review.budget import ReviewBudget
from tests.integration.chat.conftest import ADDRESS, Office
from tests.support.records import draft, event

HOOK = "webhook of the team"
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOSTILE = "<script>alert(1)</script>\r\nX-Evil: 1 \u202e[x](javascript:alert(1)) @channel"


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets; `answers` are given first, one each, then 204. 0 hangs up unanswered."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        if not status:
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture
async def postman(office: Office, receiver: Receiver) -> AsyncIterator[Postman]:
    office.team = Team("*", webhooks={HOOK: receiver.address})
    budget = ReviewBudget(office.store.near_misses, lambda: office.catalogue, 0)
    async with WebhookSender(receiver.address, SECRET, office.clock) as sender:
        yield Postman(
            office.store.outbox, office.store.chat_inbox, {HOOK: sender}, office.store.near_misses, budget,
            office.teams(), lambda: office.catalogue, office.clock, office.metrics, "office",
        )  # fmt: skip


def reporter(office: Office) -> Reporter:
    store = office.store
    return Reporter(
        store.history, store.near_misses, store.outbox, store.feed_cursors, office.teams(), lambda: office.catalogue,
        office.clock, office.metrics, ADDRESS,
    )  # fmt: skip


async def warned(office: Office, *, days: float = 10, id: str = "i1") -> int:
    await office.put(draft("nm-1", base=Instant(office.clock.now() - int(days * DAY)), title=HOSTILE))
    await reporter(office).warn()
    fields: dict[str, Any] = {"subject": "disk-pg-3", "title": HOSTILE, "base": office.clock.now()}
    await office.store.journal.append([event(id, "impact.started", -1, **fields)])
    return await reporter(office).warn()


async def test_a_foretold_incident_is_posted_once(office: Office, postman: Postman, receiver: Receiver) -> None:
    assert await warned(office) == 1
    assert await reporter(office).warn() == 0, "another process"
    await postman.hand_out()
    for _ in range(3):
        await postman.deliver(HOOK)
    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert said["kind"] == "incident.foretold"
    assert said["url"] == f"{ADDRESS}/told"
    (earlier,) = said["near_misses"]
    assert (earlier["id"], earlier["url"]) == ("nm-1", f"{ADDRESS}/near-misses/nm-1")
    assert "subject" in earlier["by"]
    assert "It was close before" in said["text"]
    assert headers["content-type"] == "application/json"
    assert STANDARD.check([SECRET], headers, body, office.clock.now()) is None
    assert STANDARD.check([b"another"], headers, body, office.clock.now()) is not None


async def test_text_of_events_stays_text(office: Office, postman: Postman, receiver: Receiver) -> None:
    await warned(office, id="i\r\nX-Evil: 1\u202e")
    await postman.deliver(HOOK)
    ((headers, body),) = receiver.got
    assert "x-evil" not in headers
    said = json.loads(body)
    for text in (said["title"], said["near_misses"][0]["title"]):
        assert "\u202e" not in text
        assert "\n" not in text
    assert "@channel" not in said["text"], "a joiner breaks the mention"
    assert "\u202e" not in said["text"]


async def test_a_near_miss_of_half_a_year_ago_counts_and_an_older_one_does_not(
    office: Office, postman: Postman, receiver: Receiver
) -> None:
    assert await warned(office, days=179) == 1
    await postman.deliver(HOOK)
    assert len(receiver.got) == 1


async def test_an_older_one_is_not_posted(office: Office, postman: Postman, receiver: Receiver) -> None:
    assert await warned(office, days=182) == 0
    await postman.deliver(HOOK)
    assert receiver.got == []


@pytest.mark.parametrize("answer", [0, 302, 401, 404, 429, 500, 503])
async def test_what_was_not_taken_is_sent_again_with_the_same_id(
    office: Office, postman: Postman, receiver: Receiver, answer: int
) -> None:
    receiver.answers = [(answer, {"location": f"{receiver.address}&moved=1"})]
    await warned(office)
    await postman.deliver(HOOK)
    await postman.deliver(HOOK)
    assert len(receiver.got) == 1, "it rests"
    (lane,) = await office.store.outbox.lanes()
    assert (lane.failures, lane.waiting, lane.refused) == (1, 1, 0)
    assert "s3cret" not in str(lane.reason)
    office.clock.advance(MINUTE)
    await postman.deliver(HOOK)
    first, second = receiver.got
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert STANDARD.check([SECRET], second[0], second[1], office.clock.now()) is None, "signed anew"
    (lane,) = await office.store.outbox.lanes()
    assert (lane.failures, lane.waiting) == (0, 0)


async def test_a_wait_that_was_asked_for_is_kept(office: Office, postman: Postman, receiver: Receiver) -> None:
    receiver.answers = [(429, {"retry-after": "1800"})]
    await warned(office)
    await postman.deliver(HOOK)
    office.clock.advance(29 * MINUTE)
    await postman.deliver(HOOK)
    assert len(receiver.got) == 1
    office.clock.advance(2 * MINUTE)
    await postman.deliver(HOOK)
    assert len(receiver.got) == 2


@pytest.mark.parametrize("answer", [400, 410, 413, 415, 422])
async def test_what_will_never_be_taken_is_kept_with_the_reason(
    office: Office, postman: Postman, receiver: Receiver, answer: int
) -> None:
    receiver.answers = [(answer, {})]
    await warned(office)
    await postman.deliver(HOOK)
    office.clock.advance(HOUR)
    await postman.deliver(HOOK)
    assert len(receiver.got) == 1
    (lane,) = await office.store.outbox.lanes()
    assert (lane.waiting, lane.refused) == (0, 1)


async def test_without_a_secret_nothing_is_signed(office: Office, receiver: Receiver) -> None:
    office.team = Team("*", webhooks={HOOK: receiver.address})
    await warned(office)
    async with WebhookSender(receiver.address, None, office.clock) as sender:
        await sender.send(await office.store.outbox.due(HOOK, office.clock.now(), 1))
    assert "webhook-signature" not in receiver.got[0][0]


@pytest.mark.parametrize("host", PAGERS)
@pytest.mark.parametrize(
    "address", ["https://{}/x", "https://EVENTS.{}:443/x", "https://events.{}./", "http://relay.example.com/?to={}"]
)
def test_no_pager_is_reachable(host: str, address: str) -> None:
    for spelt in (host, host.upper()):
        with pytest.raises(NotAllowed, match="pages people"):
            check_webhook(address.format(spelt))


@pytest.mark.parametrize(
    "address", ["", "hooks.example.com", "ftp://example.com/x", "javascript:alert(1)", "https:///x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed, match="expected the http or https address"):
        check_webhook(address)


def test_a_team_may_have_a_webhook_only_and_its_name_holds_no_secret() -> None:
    settings = ChatSettings.model_validate({"teams": {"pay": {"told_to": ["https://hooks.example.com/s3cret"]}}})
    (name,) = settings.as_teams().by_name["pay"].webhooks
    assert name.startswith("webhook of pay (")
    assert "s3cret" not in name + repr(settings)
