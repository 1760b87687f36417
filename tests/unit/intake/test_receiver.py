"""What is kept of a sender's request beside its body, and what may be read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Rejected
from monitor.decode.registry import SOURCES
from monitor.intake.bodies import Packed
from monitor.intake.flight import Flight
from monitor.intake.receiver import Receiver, safe_headers
from monitor.intake.requeue import NOT_READ_AGAIN, can_be_read_again
from monitor.ops.arrivals import Arrivals
from monitor.ops.clock import ManualClock
from monitor.ports import Appended, Reject


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-gitlab-token",
        "x-hub-signature-256",
        "x-nearmiss-token",
        "x-pagerduty-signature",
    ],
)
def test_secrets_are_not_kept_with_a_reject(name: str) -> None:
    assert safe_headers({name: "s", "content-type": "application/json"}) == {"content-type": "application/json"}


@pytest.mark.parametrize("name", ["x-github-event", "ce-type", "ce-source", "x-github-delivery", "content-type"])
def test_what_a_decoder_needs_again_is_kept(name: str) -> None:
    assert safe_headers({name: "value"}) == {name: "value"}


def test_a_header_is_cut_where_it_is_too_long_to_mean_anything() -> None:
    assert len(safe_headers({"user-agent": "x" * 5000})["user-agent"]) == 1000


@pytest.mark.parametrize("reason", Rejected)
def test_what_was_never_let_in_is_not_read_by_the_back_door(reason: Rejected) -> None:
    reject = Reject("pagerduty", str(reason), "", b"{}", Instant(0), id=1)
    assert can_be_read_again(reject) == (reason not in NOT_READ_AGAIN)


def test_what_was_read_again_is_done() -> None:
    done = Reject("events", str(Rejected.UNKNOWN_KIND), "", b"{}", Instant(0), id=1, requeued_at=Instant(1))
    assert not can_be_read_again(done)


async def test_what_is_counted_of_the_largest_body_is_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It happens in the event loop, where others wait meanwhile."""
    parts: list[int] = []
    real = Arrivals.delivered

    def delivered(arrivals: Arrivals, source: str, at: Instant, events: Sequence[Event], *rest: Any) -> None:
        parts.append(len(events))
        real(arrivals, source, at, events, *rest)

    class Takes:
        async def append(self, events: Sequence[Event]) -> Appended:
            return Appended((True,) * len(events))

    monkeypatch.setattr(Arrivals, "delivered", delivered)
    metrics = Metrics(sources=SOURCES)
    receiver = Receiver(Takes(), Takes(), ManualClock(Instant(0)), metrics, 0, Flight(1 << 30))  # type: ignore[arg-type]  # what is asked of it
    line = '{"id":"%d","source":"s","time":"1970-01-01T00:00:00Z","kind":"note.added"}'
    body = "\n".join(line % number for number in range(2_500)).encode()
    receipt = await receiver.receive("events", body, {}, Packed(body, ""), lambda _: True)
    assert receipt.accepted == 2_500
    assert sum(parts) == 2_500
    assert max(parts) <= 1_000
