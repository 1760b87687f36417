"""Alerts that say that users are hurt: one example for each convention, and those that look alike and do not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from monitor.core.matching.last_values import is_of_incident
from monitor.core.model.catalogue import Catalogue, ImpactAlert, ImpactNotes, Service
from monitor.core.model.events import Actor, Event, Instant, Kind
from monitor.core.resolving.resolver import Resolver

SHOP = Catalogue({"checkout": Service("checkout", ("payments",), user_facing=True), "payments": Service("payments")})


def alert(title: str, labels: dict[str, str], **said: Any) -> Event:
    fields = {"id": "1", "source": "alertmanager", "time": Instant(0), "kind": "alert.fired", "service": "checkout"}
    return Event(**{**fields, "title": title, "labels": labels, **said})


def impact(event: Event, catalogue: Catalogue = SHOP) -> Event | None:
    found = Resolver(catalogue).all([event])
    assert found[0].kind == event.kind
    return found[1] if len(found) > 1 else None


@pytest.mark.parametrize(
    ("title", "labels", "evidence"),
    [
        ("High error rate on checkout", {"sloth_slo": "availability", "sloth_severity": "page"}, "slo"),
        ("ErrorBudgetBurn", {"slo": "checkout-errors", "severity": "critical", "long": "1h", "short": "5m"}, "slo"),
        ("SLO Burn Rate Very High", {"grafana_slo_uuid": "x", "grafana_slo_severity": "critical"}, "slo"),
        ("checkout burns its error budget", {"burn_rate": "fast"}, "slo"),
        ("CheckoutErrorBudgetBurn", {"long_window": "1h"}, "slo"),
        ("CheckoutErrorBudgetBurn", {"severity": "P2"}, "slo"),
        ("Checkout page loads: exhaustion in 4 hours", {}, "slo"),
        ("BlackboxProbeFailed", {"instance": "https://shop.example"}, "synthetic"),
        ("Probe of shop.example is down", {"job": "blackbox"}, "synthetic"),
        ("SyntheticMonitoringCheckFailureAtHighSensitivity", {"probe": "Paris"}, "synthetic"),
        ("Website checkout is unreachable", {}, "synthetic"),
    ],
)
def test_harm_by_convention(title: str, labels: dict[str, str], evidence: str) -> None:
    told = impact(alert(title, labels))
    assert told is not None
    assert (told.kind, told.service, told.labels["evidence"]) == ("impact.started", "checkout", evidence)


@pytest.mark.parametrize(
    ("title", "labels"),
    [
        ("High error rate on checkout", {"sloth_slo": "availability", "sloth_severity": "ticket"}),
        ("ErrorBudgetBurn", {"slo": "checkout-errors", "severity": "warning", "long": "1d"}),
        ("SLO Burn Rate High", {"grafana_slo_uuid": "x", "grafana_slo_severity": "warning"}),
        ("CheckoutErrorBudgetBurn", {"long_window": "3d"}),
        ("CheckoutErrorBudgetSlowBurn", {"severity": "page"}),
        ("Burn rate of checkout: slow", {"severity": "critical"}),
        ("QueueTooLong", {"slo": "gold", "severity": "critical"}),
        ("Certificate of shop.example expires soon", {"job": "blackbox"}),
        ("BlackboxSlowProbe", {"job": "blackbox"}),
        ("Readiness probe failed", {}),
        ("Errors on endpoint /pay", {}),
        ("Canary of checkout failed", {}),
        ("Disk is full", {}),
    ],
)
def test_signs_that_are_no_harm(title: str, labels: dict[str, str]) -> None:
    assert impact(alert(title, labels)) is None


def test_a_failing_check_by_a_source_that_only_checks() -> None:
    assert impact(alert("shop.example", {}, source="pingdom/acme")) is not None


def test_only_what_users_see_or_what_nobody_knows() -> None:
    burn = ("CheckoutErrorBudgetBurn", {"severity": "page"})
    assert impact(alert(*burn, service="payments")) is None
    assert impact(alert(*burn, service="nobody-knows")) is not None
    assert impact(alert(*burn, service="payments"), Catalogue()) is not None
    assert impact(alert(*burn, service=None)) is None


def test_the_catalogue_has_the_last_word() -> None:
    marks = (ImpactAlert("Payments*"), ImpactAlert(None, {"team": "lab"}, users=False))
    said = Catalogue(SHOP.services, impact_alerts=marks)
    told = impact(alert("PaymentsErrors", {}, service="payments"), said)
    assert told is not None
    assert told.labels["evidence"] == "alert"
    assert impact(alert("ErrorBudgetBurn", {"severity": "page", "team": "lab"}), said) is None


def test_impact_has_an_identity_and_an_end_of_its_own() -> None:
    burn = alert("ErrorBudgetBurn", {"severity": "page"}, subject="f1", severity="critical")
    over = alert("ErrorBudgetBurn", {"severity": "page"}, id="2", subject="f1", kind="alert.resolved")
    gone = alert("ErrorBudgetBurn", {"severity": "page"}, id="3", subject="f1", kind="alert.cancelled")
    told = [event for event in Resolver(SHOP).all([burn, over, gone]) if event.kind.startswith("impact.")]
    assert [(event.kind, event.id, event.subject) for event in told] == [
        ("impact.started", "impact/1", "f1"),
        ("impact.ended", "impact/2", "f1"),
        ("impact.ended", "impact/3", "f1"),
    ]
    assert told[0].severity is None
    assert told[0].resolved_from == {"kind": "fast burn of an error budget (label severity: page)"}
    long = impact(alert("ErrorBudgetBurn", {"severity": "page"}, id="x" * 255))
    assert long is not None
    assert len(long.id) < 100


@pytest.mark.parametrize(
    "title",
    ["SEV2: customers cannot log in", "Users are locked out", "Import affects all customers", "Clients see errors"],
)
@pytest.mark.parametrize("kind", ["alert.fired", "incident.opened"])
def test_a_title_that_says_that_users_are_hurt(title: str, kind: Kind) -> None:
    found = impact(alert(title, {}, kind=kind, service="payments"))
    assert found is not None
    assert (found.kind, found.labels["evidence"]) == ("impact.started", "report")


@pytest.mark.parametrize(
    "title",
    [
        "Customers cannot log in to staging test accounts",
        "Fixed before users were affected",
        "No customers affected: pool nearly empty",
        "Could affect users if it fills up",
        "Customer export is slow",
        "The importer cannot reach customers-db",
    ],
)
def test_a_title_that_only_speaks_of_users(title: str) -> None:
    assert impact(alert(title, {}, kind="incident.opened", service="payments")) is None


def test_a_record_that_said_so_ends_the_impact_with_its_end() -> None:
    found = impact(alert("Users are locked out", {}, kind="incident.closed", service="payments"))
    assert found is not None
    assert found.kind == "impact.ended"


@pytest.mark.parametrize(
    "title",
    [
        "504 now",
        "confirmed, 5xx here from everywhere",
        "kim asks on irc why the dashboard gives 500",
        "getting 500s from the api since ten",
        "site is down again",
        "check out doesn't load for me",
        "hubs answer Service unavailable",
        "the pages load again, 34 minutes in total",
        "thank you it works again since 5 minutes",
        "customer: your dashboard times out",
        "is it just me or does it no longer connect?",
        "all the relays are dead",
        "it was 20 minutes for 31 apps",
        "support is mailing the owners",
        "12 min of downtime",
        "users report errors",
    ],
)
def test_a_note_in_the_words_of_those_whom_it_does_not_serve(title: str) -> None:
    found = impact(alert(title, {}, kind="note.added"))
    assert found is not None
    assert (found.kind, found.labels["evidence"]) == ("impact.started", "report")


@pytest.mark.parametrize(
    "title",
    [
        "only the canary gives 502",
        "would have been an outage: the page would give 500",
        "one pod returns 503, retried",
        "nobody saw the 503s",
        "500 GB free again",
        "p95 at 500 ms",
        "404 ratio went from 9 to 11 percent, expected",
        "replica works",
        "connections of the pool are available again",
        "restarted the importer, works again",
        "customers were not affected",
    ],
)
def test_a_note_that_speaks_of_failures_and_tells_no_harm(title: str) -> None:
    assert impact(alert(title, {}, kind="note.added")) is None


def test_what_a_note_says_of_a_part_that_users_do_not_see_is_no_harm() -> None:
    assert impact(alert("getting 500s from it", {}, kind="note.added", service="payments")) is None
    assert impact(alert("users cannot log in", {}, kind="note.added", service="payments")) is not None


@pytest.mark.parametrize(
    ("title", "severity", "service", "hurts"),
    [
        ("RemoteWrite5xx: 62 percent of pushes fail", "critical", "checkout", True),
        ("NewOrderSuccessRate below 50 percent", "high", "checkout", True),
        ("HighErrorRate", "critical", "checkout", True),
        ("Start failure ratio above 0.02", "critical", "checkout", True),
        ("Logins are failing", "high", "checkout", True),
        ("HighErrorRate", "warning", "checkout", False),
        ("HighErrorRate", "critical", "payments", False),
        ("HighErrorRate", "critical", "unheard", False),
        ("HighErrorRate of the canary", "critical", "checkout", False),
        ("Heap above 90 percent", "critical", "checkout", False),
    ],
)
def test_a_grave_alert_that_what_users_ask_for_fails(title: str, severity: str, service: str, hurts: bool) -> None:
    assert (impact(alert(title, {}, severity=severity, service=service)) is not None) == hurts


@pytest.mark.parametrize(
    ("labels", "hurts"),
    [
        ({}, True),
        ({"urgency": "high"}, False),
        ({"urgency": "high", "priority": "P1"}, True),
        ({"priority": "P1"}, True),
    ],
)
def test_the_urgency_of_a_page_alone_makes_no_alert_grave(labels: dict[str, str], hurts: bool) -> None:
    assert (impact(alert("checkout: error rate", labels, severity="high")) is not None) == hurts


def test_a_failing_check_that_its_owner_calls_information_is_no_harm() -> None:
    found = alert("Website checkout is unreachable", {}, severity="info")
    assert impact(found) is None
    assert impact(alert("Website checkout is unreachable", {}, severity="warning")) is not None


@pytest.mark.parametrize(("ends", "hurts"), [(-1, True), (0, False), (1, False)])
@pytest.mark.parametrize("kind", ["note.added", "alert.fired"])
def test_a_deadline_that_had_passed_on_a_service_that_users_see(kind: Kind, ends: int, hurts: bool) -> None:
    said: dict[str, Any] = {"kind": kind, "time": Instant(10), "expires_at": Instant(10 + ends)}
    assert (impact(alert("certificate", {}, **said)) is not None) == hurts
    assert impact(alert("certificate", {}, **said, service="payments")) is None


def test_a_renewal_after_the_end_tells_that_it_had_ended() -> None:
    said: dict[str, Any] = {"kind": "change.rotated", "time": Instant(10), "expires_at": Instant(99)}
    assert impact(alert("renewed", {}, **said, previous_expires_at=Instant(9))) is not None
    assert impact(alert("renewed", {}, **said, previous_expires_at=Instant(11))) is None
    assert impact(alert("renewed", {}, **said)) is None


def test_a_record_tells_harm_in_its_summary_and_as_it_goes_on() -> None:
    told = {"summary": "About 8 % of viewers see errors, users are affected"}
    assert impact(alert("Playback fails", told, kind="incident.opened")) is not None
    assert impact(alert("Customers cannot pay", {}, kind="incident.updated")) is not None
    assert impact(alert("Playback fails", {}, kind="incident.updated")) is None


def test_a_record_of_harm_that_names_no_service_is_of_the_one_that_users_see() -> None:
    found = impact(alert("Customers cannot pay", {}, kind="incident.opened", service=None))
    assert found is not None
    assert found.service == "checkout"
    two = Catalogue({name: Service(name, user_facing=True) for name in ("checkout", "payments")})
    assert impact(alert("Customers cannot pay", {}, kind="incident.opened", service=None), two) is None


def test_a_grave_alert_of_an_unlisted_host_that_names_a_service_of_users() -> None:
    told = {"service": "web7", "severity": "critical"}
    assert impact(alert("Checkout rendering CRITICAL 503", {}, **told)) is not None
    assert impact(alert("Payments rendering CRITICAL 503", {}, **told)) is None, "users do not see payments"
    assert impact(alert("checkouts rendering CRITICAL 503", {}, **told)) is None, "another name"
    assert impact(alert("Checkout rendering CRITICAL 503", {}, service="web7", severity="warning")) is None
    assert impact(alert("Checkout rendering CRITICAL 503", {}, service="payments", severity="critical")) is None


def test_what_a_person_writes_on_a_service_that_users_see_and_not_what_a_bot_does() -> None:
    assert impact(note("it hangs after the second step", service="checkout")) is not None
    assert impact(note("it hangs after the second step", service="payments")) is None
    assert impact(note("it hangs after the second step", service="web7")) is None, "nobody knows what it is"
    assert impact(note("it hangs", service="checkout", actor=Actor("bot", "automation"))) is None


@pytest.mark.parametrize(
    "later",
    [
        alert("Playback", {"summary": "customers cannot pay"}, kind="incident.opened", severity="high"),
        alert(
            "Playback",
            {"text": "customers cannot pay", "evidence": "ticket"},
            kind="note.added",
            severity="high",
        ),
        alert("Playback", {}, kind="change.rotated", severity="high", previous_expires_at=Instant(-9)),
        alert("Playback", {}, severity="high", expires_at=Instant(-9)),
    ],
    ids=lambda event: event.kind,
)
def test_an_alert_of_the_same_name_that_told_no_harm_silences_nothing(later: Event) -> None:
    """Names of alerts are looked up once; what else an event says is read each time."""
    resolver = Resolver(SHOP)
    assert len(resolver.all([alert("Playback", {}, severity="high")])) == 1
    assert [event.kind for event in resolver.all([later])] == [later.kind, "impact.started"]


# -- what people write on an incident, and of services that nobody outside sees -----------------------------------


def note(text: str, **said: Any) -> Event:
    fields = {"id": "n1", "source": "pagerduty/acme", "time": Instant(0), "kind": "note.added", "service": None}
    return Event(**{**fields, "title": text, "actor": Actor("ann", "human"), **said})


def test_harm_that_a_note_on_an_incident_tells_is_of_that_incident() -> None:
    told = impact(note("all pods died, shoppers got 502s from 19:23 to 19:27", subject="Q1"))
    assert told is not None
    assert (told.kind, told.service, told.subject, told.labels) == (
        "impact.started",
        None,
        "Q1",
        {"evidence": "report", "note": "n1"},
    )
    assert impact(note("all pods died, shoppers got 502s from 19:23 to 19:27")) is None, "of no incident, of no service"


def test_of_a_comment_its_text_is_read_and_not_the_title_above_it() -> None:
    told = {"text": "Three customers called, the basket was empty", "about": "Basket merge errors"}
    assert impact(note("Basket merge errors", subject="SHOP-1", labels=told)) is not None
    closed = {"text": "Closing, was a test", "about": "Customers cannot pay"}
    assert impact(note("Customers cannot pay", subject="SHOP-2", labels=closed)) is None


def test_the_description_of_an_alert_is_not_what_the_note_on_it_says() -> None:
    described = {"text": "Customers cannot pay when this fires"}
    assert impact(note("looking at it", subject="A1", labels=described)) is None
    ticket = {"text": "Customers cannot pay", "evidence": "ticket"}
    assert impact(note("Question", subject="T1", labels=ticket)) is not None, "both are the customer's words"


def test_of_no_service_nobody_knows_whether_users_see_it() -> None:
    assert impact(note("jobs failed 10:02-10:40", subject="Q1")) is None
    assert impact(note("logins failed 10:02-10:40", service="checkout")) is not None


@pytest.mark.parametrize("text", ["This is affecting all customers", "impacting many users", "Clients cannot log in"])
def test_phrases_of_titles_count_in_notes_as_well(text: str) -> None:
    assert impact(note(text, service="payments")) is not None


def test_notes_are_no_impact_where_the_organisation_says_so() -> None:
    deaf = Catalogue(SHOP.services, impact_notes=ImpactNotes(read=False))
    assert impact(note("the page gives 502", service="checkout")) is not None
    assert impact(note("the page gives 502", service="checkout"), deaf) is None


def test_harm_told_in_chat_is_of_no_incident_and_counts_for_everyone() -> None:
    """A chat keeps no incidents: what is written there of no service may be about any."""
    written = note("three customers asked why it is slow", source="slack/ops", subject="slack/C1/1")
    for told in (written, replace(written, subject=None)):
        found = impact(told)
        assert found is not None
        assert not is_of_incident(found)
    on_page = impact(note("three customers asked why it is slow", subject="Q1"))
    assert on_page is not None
    assert is_of_incident(on_page), "until its incident is known"
