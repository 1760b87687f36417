"""Alerts that say that users are hurt: one example for each convention, and those that look alike and do not."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.catalogue import Catalogue, ImpactAlert, Service
from monitor.core.model.events import Event, Instant, Kind
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
        ("HighErrorRate", {"slo": "gold", "severity": "critical"}),
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
