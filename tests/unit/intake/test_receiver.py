"""What is kept of a sender's request beside its body, and what may be read again."""

from __future__ import annotations

import pytest

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Rejected
from monitor.intake.receiver import safe_headers
from monitor.intake.requeue import NOT_READ_AGAIN, can_be_read_again
from monitor.ports import Reject


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
