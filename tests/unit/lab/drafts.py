"""Drafts and decisions for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import Cited, Draft, Mode, Role


def event(event_id: str, at: int = 0) -> Event:
    return Event(event_id, "test", Instant(at), "alert.fired", "checkout")


def draft(
    draft_id: str,
    cites: Sequence[str] = ("e1",),
    *,
    opened_at: int = 0,
    mode: Mode = "live",
    role: Role = "hazard",
    title: str = "nearly",
) -> Draft:
    at = Instant(opened_at)
    return Draft(
        id=draft_id,
        rules=("some-rule",),
        rule_versions={"some-rule": "1"},
        family="oops",
        kind="near_miss",
        mode=mode,
        service="checkout",
        services=("checkout",),
        environment="production",
        title=title,
        verdict="none",
        confidence=0.9,
        missing_evidence=(),
        first_sign_at=at,
        noticed_at=None,
        intervened_at=at,
        safe_at=at,
        opened_at=at,
        window_from=at,
        window_to=at,
        hold=0,
        margin=None,
        evidence=tuple(Cited(role, event(one)) for one in cites),
        omitted={},
        coverage=(),
        unfed_services=(),
        explanation=(),
        questions=(),
        recurrence_key="key",
    )
