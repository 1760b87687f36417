"""Builds near-miss drafts that look like real ones, so that tests of the review say only what matters to them."""

from __future__ import annotations

from typing import Any, cast

from monitor.core.model.events import HOUR, MINUTE, SECOND, Actor, Event, Instant, Kind
from monitor.core.model.near_miss import Cited, Draft, FeedReport, Margin, Reason, Role, Verdict

BASE = Instant(1_770_000_000 * SECOND)
"""2 February 2026, 02:40 UTC: the first sign, unless a test says otherwise."""

MONDAY = Instant(1_770_021_000 * SECOND)
"""2 February 2026, 08:30 UTC: when somebody looks at the queue."""

ON_CALL = Actor(id="u-17", kind="human", on_call=True)
OFF_ROTATION = Actor(id="u-99", kind="human", on_call=False)
ROBOT = Actor(id="deploy-bot", kind="automation")


def at(minutes: float, base: int = BASE) -> Instant:
    return Instant(base + int(minutes * MINUTE))


def event(id: str, kind: str, minutes: float, *, base: int = BASE, **fields: Any) -> Event:
    values: dict[str, Any] = {
        "source": "pagerduty/acme",
        "service": "payments-db",
        "environment": "production",
        **fields,
    }
    return Event(id=id, kind=cast(Kind, kind), time=at(minutes, base), **values)


def evidence(base: int = BASE) -> tuple[Cited, ...]:
    """A disk that filled up and was saved by somebody who was called in."""
    subject = {"subject": "disk-pg-3"}
    told: list[tuple[Role, Event]] = [
        ("context", event("d41", "change.deployed", -38, base=base, source="github/acme/payments", service="payments",
                          actor=ROBOT, title="Deploy v412 to production", labels={"version": "v412"})),
        ("hazard", event("a1", "alert.fired", 0, base=base, severity="high", value=91.0, limit=100.0, unit="percent",
                         bound="max", title="Disk of pg-3 is 91 % full and fills up in 40 minutes",
                         url="https://alerts.example.com/a1", labels={"cluster": "eu-1", "assignee": "Ada Lovelace"},
                         **subject)),
        ("context", event("p1", "responder.paged", 0.2, base=base, title="Database on call was paged")),
        ("context", event("k1", "alert.acknowledged", 3, base=base, actor=ON_CALL, **subject)),
        ("context", event("n1", "note.added", 9, base=base, source="slack/acme", actor=ON_CALL,
                          title="WAL keeps growing although the replica is gone. That is weird, who knows slots?")),
        ("hazard", event("a2", "alert.fired", 14, base=base, severity="critical", value=97.0, limit=100.0,
                         unit="percent", bound="max", title="Disk of pg-3 is 97 % full", **subject)),
        ("context", event("j1", "responder.joined", 17, base=base, actor=OFF_ROTATION,
                          title="A second pair of eyes from the storage team")),
        ("intervention", event("c1", "change.ran", 22, base=base, source="runbook/acme", actor=OFF_ROTATION,
                               title="Dropped the orphaned replication slot on pg-3",
                               url="https://runbooks.example.com/runs/77", **subject)),
        ("recovery", event("r2", "alert.resolved", 27, base=base, title="Disk of pg-3 is 62 % full", **subject)),
        ("context", event("i9", "incident.closed", 48, base=base, title="Closed, no action for users needed",
                          labels={"impact": "none"})),
    ]  # fmt: skip
    return tuple(Cited(role, each) for role, each in told)


def feed(source: str = "blackbox", service: str = "checkout", *, clear: bool = True, base: int = BASE) -> FeedReport:
    return FeedReport(
        source=source,
        service=service,
        evidence="synthetic_check",
        reports=16 if clear else 4,
        first_at=at(-4, base),
        last_at=at(146 if clear else 31, base),
        longest_gap=10 * MINUTE if clear else 116 * MINUTE,
        freshness=20 * MINUTE,
        clear=clear,
        detail="" if clear else "silent for longer than it may be, from 03:11 on",
    )


def draft(id: str = "nm-1", *, verdict: Verdict = "none", base: int = BASE, **fields: Any) -> Draft:
    """A draft whose first sign is at `base`; any field may be replaced."""
    unknown = verdict == "unknown"
    values: dict[str, Any] = {
        "id": id,
        "rules": ("disk-full-averted", "page-caught"),
        "rule_versions": {"disk-full-averted": "4f1c", "page-caught": "88ab"},
        "family": "margin",
        "kind": "near_miss",
        "mode": "live",
        "service": "payments-db",
        "services": ("payments-db", "payments"),
        "environment": "production",
        "title": "The disk of payments-db was 18 minutes from full",
        "verdict": verdict,
        "confidence": 0.55 if unknown else 0.85,
        "missing_evidence": ("no_feed", "feed_gap") if unknown else (),
        "first_sign_at": base,
        "noticed_at": at(3, base),
        "intervened_at": at(22, base),
        "safe_at": at(27, base),
        "opened_at": at(147, base),
        "window_from": at(-5, base),
        "window_to": at(147, base),
        "hold": 2 * HOUR,
        "margin": Margin("headroom", 3.0, "percent", "3 % of disk left", 100.0),
        "evidence": evidence(base),
        "omitted": {"context": 3},
        "coverage": (feed(base=base, clear=not unknown), feed("sloth", "payments", base=base)),
        "unfed_services": ("invoices",) if unknown else (),
        "explanation": (
            "alert.fired on payments-db: derived.share at least 0.9 (found 0.97)",
            "change.ran on payments-db, the same subject, 22 min after the first sign (within 1 d)",
            "alert.resolved followed 5 min after the action",
        ),
        "questions": (
            "How did you know that a replication slot was holding the disk?",
            "How much later would it have been too late?",
            "Who else could have done this at night?",
        ),
        "recurrence_key": "disk-full-averted|payments-db|disk-pg-3",
        "rank": 10.0,
        "probability": 0.83,
        "reasons": (
            Reason("recognised", 2.0, "matched rule: disk-full-averted"),
            Reason("same_person", 1.5, "the person who acted had acknowledged or commented"),
            Reason("clears_alone", -1.2, "this alert often clears by itself"),
            Reason("learning", -0.4, "first two weeks: base rates are not known yet"),
        ),
        **fields,
    }
    return Draft(**values)


def several(now: int, count: int = 10) -> list[Draft]:
    """A queue as on a Monday morning, newest last; `now` is the present."""
    told: list[dict[str, Any]] = [
        {"title": "The disk of payments-db was 18 minutes from full", "rank": 9.0,
         "repeat_of": ("nm-old-1", "nm-old-2")},
        {"title": "The certificate of the internal gateway was renewed after it had expired", "service": "gateway",
         "margin": Margin("deadline", -4.0, "d", "expired 4 d before", None), "rules": ("certificate-thin-margin",)},
        {"title": "Checkout v913 was rolled back before the error budget noticed", "service": "checkout",
         "family": "oops", "margin": None, "rules": ("rollback-before-burn",), "verdict": "unknown"},
        {"title": "A scale-down in the wrong cluster was undone by hand", "service": "search", "family": "oops",
         "margin": Margin("elapsed", 6.0, "min", "6 min until undone", None), "rules": ("wrong-target-contained",)},
        {"title": "Only 2 of 6 ingress pods were left when the nodes came back", "service": "ingress",
         "margin": Margin("headroom", 2.0, "pods", "2 of 6 pods left", 6.0), "rules": ("redundancy-lost",)},
        {"title": "The queue of the nightly invoices was drained 14 minutes before the cut-off", "service": "invoices",
         "margin": Margin("deadline", 14.0, "min", "14 min before the cut-off", None), "environment": None,
         "rules": ("backlog-drained",), "verdict": "unknown"},
        {"title": "A page about token errors was caught by somebody off rotation", "service": "auth",
         "family": "mind_the_gap", "margin": None, "rules": ("called-in-expert", "page-caught")},
        {"title": "The alert about replication lag was snoozed 5 times before it was acted on", "service": "orders-db",
         "margin": Margin("count", 5.0, "snoozes", "snoozed 5 times", None), "rules": ("snoozed-then-acted",)},
        {"title": "The flag new-pricing was turned on and off again within 9 minutes", "service": "pricing",
         "family": "oops", "margin": Margin("elapsed", 9.0, "min", "on for 9 min", None),
         "rules": ("flag-flipped-back",)},
        {"title": "The rollout of search v77 was stopped on an oddity that no alert saw", "service": "search",
         "family": "thats_weird", "margin": None, "rules": ("deploy-watcher",)},
    ]  # fmt: skip
    made = []
    for place in range(count):
        base = now - (3 + place * 5) * HOUR - place * 7 * MINUTE
        given = dict(told[place % len(told)])
        service = given.get("service", "payments-db")
        given.setdefault("services", (service,))
        made.append(draft(f"nm-{place:03}", base=base, **{"rank": 8.0 - place * 0.1, **given}))
    return made
