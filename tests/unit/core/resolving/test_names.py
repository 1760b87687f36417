"""Services in the words of tools: by which label, alias or spelling an event finds its service, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from monitor.core.model.catalogue import Alias, Catalogue, Service
from monitor.core.model.events import Event, Instant
from monitor.core.resolving.names import GUESSED, Names, Pattern
from monitor.core.resolving.resolver import Resolver


def catalogue(*aliases: Alias, **said: Any) -> Catalogue:
    services = ("checkout", "payments", "payments-db", "ledger")
    return Catalogue(
        {name: Service(name, user_facing=name == "checkout") for name in services},
        frozenset({"production"}),
        aliases=aliases,
        **said,
    )


def alert(**said: Any) -> Event:
    return Event(**{"id": "1", "source": "alertmanager", "time": Instant(0), "kind": "alert.fired", **said})


def resolved(event: Event, *aliases: Alias) -> tuple[str | None, str]:
    found = Resolver(catalogue(*aliases)).resolve(event)
    return found.service, found.resolved_from.get("service", "")


KSM = "monitoring-kube-state-metrics"


@pytest.mark.parametrize(
    ("said", "labels", "service", "why"),
    [
        (KSM, {"deployment": "payments"}, "payments", f"label deployment (said: {KSM})"),
        (KSM, {"statefulset": "payments-db"}, "payments-db", f"label statefulset (said: {KSM})"),
        (KSM, {"pod": "payments-7d9f8b6c5-x2x7q"}, "payments", f"label pod (said: {KSM})"),
        (KSM, {"pod": "payments-db-0"}, "payments-db", f"label pod (said: {KSM})"),
        (KSM, {"job_name": "ledger-28012345"}, "ledger", f"label job_name (said: {KSM})"),
        ("kubelet", {"container": "payments", "namespace": "shop"}, "payments", "label container (said: kubelet)"),
        ("node-exporter", {"namespace": "ledger"}, "ledger", "label namespace (said: node-exporter)"),
        (None, {"deployment": "payments"}, "payments", "label deployment"),
        (None, {"service.name": "payments"}, "payments", "label service.name"),
        (None, {"k8s_deployment_name": "payments"}, "payments", "label k8s_deployment_name"),
        (None, {"detail.kube_deployment": "payments"}, "payments", "label detail.kube_deployment"),
        (None, {"app.kubernetes.io/name": "payments"}, "payments", "label app.kubernetes.io/name"),
        (KSM, {"exported_service": "payments", "pod": "ledger-0"}, "payments", f"label exported_service (said: {KSM})"),
        ("shop-metrics", {"container": "payments"}, "payments", "label container (said: shop-metrics)"),
        ("Payments_DB", {}, "payments-db", "same name but for case and separators (said: Payments_DB)"),
        ("payments", {"container": "ledger"}, "payments", ""),
        ("kubelet", {"instance": "10.0.0.1:10250"}, "kubelet", ""),
        ("payments-api", {}, "payments-api", ""),
        (KSM, {"deployment": "cart"}, "cart", f"label deployment (said: {KSM})"),
        (None, {"container": "istio-proxy", "namespace": "shop"}, None, ""),
    ],
)  # fmt: skip
def test_labels_that_name_the_service(said: str | None, labels: dict[str, str], service: str | None, why: str) -> None:
    assert resolved(alert(service=said, labels=labels)) == (service, why)


@pytest.mark.parametrize(
    ("alias", "event"),
    [
        (Alias("payments", "name", "Pay API"), alert(service="pay-api")),
        (Alias("payments", "source", "Pay (prod)", "pagerduty"), alert(source="pagerduty/acme", service="Pay (prod)")),
        (Alias("payments", "source", "PS1", "pagerduty"), alert(source="pagerduty", labels={"service_id": "PS1"})),
        (Alias("payments", "repository", "acme/pay"), alert(service="pay", labels={"repository": "acme/pay"})),
        (Alias("payments", "repository", "acme/pay"), alert(source="github/acme/pay")),
        (Alias("payments", "workload", "pay-web"), alert(labels={"pod": "pay-web-7d9f8b6c5-x2x7q"})),
        (Alias("payments", "workload", "pay-web"), alert(service="pay-web", labels={"namespace": "pay"})),
        (Alias("payments", "workload", "pay-*"), alert(service="pay-web")),
        (Alias("payments", "host", "pg-pay-*"), alert(service="pg-pay-02")),
        (Alias("payments", "namespace", "pay-*"), alert(service="kubelet", labels={"namespace": "pay-eu"})),
        (Alias("payments", "host", "pay-*.example"), alert(labels={"instance": "https://pay-3.example:9100/x"})),
        (Alias("payments", "label", "pay", "team"), alert(service="unheard", labels={"team": "Pay"})),
        (Alias("payments", "title", "*card payments*"), alert(title="High error rate of card payments in eu")),
    ],
    ids=lambda value: value.by if isinstance(value, Alias) else "",
)
def test_aliases(alias: Alias, event: Event) -> None:
    service, why = resolved(event, alias)
    assert service == "payments"
    assert why.startswith("alias")


def test_what_one_source_calls_so_another_may_call_otherwise() -> None:
    alias = Alias("payments", "source", "checkout", "pagerduty")
    assert resolved(alert(source="pagerduty", service="checkout"), alias)[0] == "payments"
    assert resolved(alert(source="grafana", service="checkout"), alias)[0] == "checkout"


def test_a_name_that_two_services_share_but_for_case_is_not_joined() -> None:
    two = Catalogue({name: Service(name) for name in ("Pay-ments", "payments")})
    assert Resolver(two).resolve(alert(service="pay_ments")).service == "pay_ments"


@pytest.mark.parametrize("name", ["payments-prod", "payments-service", "k8s-payments", "Payments (production)"])
def test_a_name_with_a_usual_word_beside_it_is_a_guess(name: str) -> None:
    service, why = resolved(alert(service=name))
    assert service == "payments"
    assert why.startswith(GUESSED)


@pytest.mark.parametrize(
    ("job", "service"),
    [
        ("deploy-ledger-web", "ledger-web"),
        ("deploy-to-prod-ledger-web", "ledger-web"),
        ("ledger-web-deploy", "ledger-web"),
        ("ledger-web-prod-release", "ledger-web"),
        ("Rollback payments", "payments"),
        ("deploy", "deploy"),
        ("deployer-of-things", "deployer-of-things"),
    ],
)
def test_a_job_that_deploys_is_a_change_of_what_it_deploys(job: str, service: str) -> None:
    assert resolved(alert(kind="change.deployed", service=job))[0] == service
    assert resolved(alert(service="ledger-web-deploy"))[0] == "ledger-web-deploy"


@pytest.mark.parametrize("name", ["payments-v2", "payments-staging", "payments-cache", "old-payments"])
def test_a_name_with_another_word_is_another_service(name: str) -> None:
    assert resolved(alert(service=name))[0] == name


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"labels": {"host": "payments-db-02.prod.example.net"}}, "the host names it"),
        ({"labels": {"entity": "payments_db"}}, "the label entity names it"),
        ({"title": "Payments DB: memory at 91 %"}, "the title names it"),
        ({"title": "odd", "labels": {"text": "is payments-db slow for anybody else?"}}, "the text names it"),
        ({"title": "odd", "labels": {"about": "payments-db is slow"}}, "the thing it is about names it"),
        ({"service": "payments-db-3"}, "'payments-db-3' without its number or domain"),
        ({"service": "payments-db2.prod.example.net"}, "'payments-db2.prod.example.net' without its number or domain"),
        ({"service": "disk /var on payments-db"}, "'disk /var on payments-db' names it"),
        ({"service": "payments-db-tls", "labels": {"object_kind": "Secret"}}, "'payments-db-tls' begins with its name"),
    ],
)
def test_words_that_hold_one_service_s_name_are_a_guess(said: dict[str, Any], why: str) -> None:
    service, told = resolved(alert(**said))
    assert service == "payments-db"
    assert told.startswith(f"{GUESSED}: {why}")


@pytest.mark.parametrize(
    "said",
    [
        {"title": "payments and ledger differ"},
        {"title": "prepayments are late"},
        {"service": "payments-db-tls", "labels": {"object_kind": "Deployment"}},
        {"service": "payments-db-tls"},
        {"kind": "impact.started", "title": "payments fails"},
    ],
)
def test_words_that_hold_two_names_or_part_of_one_are_no_guess(said: dict[str, Any]) -> None:
    assert resolved(alert(**said)) == (said.get("service"), "")


def test_a_name_that_many_services_could_have_is_not_looked_for_in_words() -> None:
    common = Catalogue({"web": Service("web"), "payments": Service("payments")})
    assert Resolver(common).resolve(alert(title="the web is slow")).service is None


def test_a_flag_that_names_nothing_is_of_the_one_service_that_users_see() -> None:
    flag = alert(kind="change.flag_set", labels={"flag": "recs-v2"})
    assert resolved(flag) == ("checkout", f"{GUESSED}: users see no other service")
    two = Catalogue({name: Service(name, user_facing=True) for name in ("checkout", "payments")})
    told = Resolver(two).resolve(flag)
    assert (told.service, told.resolved_from["service"]) == ("recs-v2", f"{GUESSED}: nobody says whose flag it is")
    in_project = alert(kind="change.flag_set", labels={"flag": "recs-v2", "project": "growth"})
    assert Resolver(two).resolve(in_project).service == "growth"


def test_a_guess_that_two_services_fit_is_not_made() -> None:
    two = Catalogue({name: Service(name) for name in ("payments-svc", "payments-app")})
    assert Resolver(two).resolve(alert(service="payments-prod")).service == "payments-prod"


def test_without_a_catalogue_the_workload_goes_before_the_exporter() -> None:
    resolver = Resolver(Catalogue())
    seen = resolver.resolve(alert(service="kube-state-metrics", labels={"pod": "cart-7d9f8b6c5-x2x7q"}))
    assert seen.service == "cart"
    assert resolver.resolve(alert(service="cart")) == alert(service="cart")


def test_names_that_are_alike_are_proposed() -> None:
    names = Names(catalogue())
    assert [names.nearest(name) for name in ("payments-svc", "paymnts", "ledger_prod", "weather")] == [
        "payments", "payments", "ledger", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("the-old-cart-of-2019", "cart"),
        ("the-old-map-of-2019", None),
        ("legacy.cart-history.of-2019", "cart-history"),
        ("map-service", "map"),
        ("mapservices", None),
        ("Map", "map"),
    ],
    ids=["four letters within", "three letters say little", "the longest", "a suffix", "no suffix", "the same"],
)
def test_a_name_that_holds_another_is_proposed(name: str, proposed: str | None) -> None:
    services = {each: Service(each) for each in ("cart", "cart-history", "map")}
    assert Names(Catalogue(services=services)).nearest(name) == proposed


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [("pay*", "PAY-3", True), ("*pay*", "repay", True), ("a*b*c", "axbyc", True), ("ab*ba", "aba", False),
     ("pay", "pays", False), ("*", "", True), ("a*b*c", "acb", False),
     ("a*x*c", "abc", False), ("a*bc*bcd", "abcbcd", True), ("a*bc*bcd", "abcd", False), ("b*", "ab", False)],
)  # fmt: skip
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    assert Pattern(pattern).matches(text) is matches


def test_environment_and_severity_say_what_they_rest_on() -> None:
    seen = Resolver(catalogue()).resolve(alert(service="payments", environment="prd", labels={"severity": "SEV_1"}))
    assert (seen.environment, seen.severity) == ("production", "critical")
    assert seen.resolved_from == {
        "environment": "table of environments (said: prd)",
        "severity": "table of severities (said: SEV_1)",
    }
    assert seen.labels == {"severity": "SEV_1"}


def test_an_unknown_word_for_severity_is_a_sign_and_says_so() -> None:
    seen = Resolver(catalogue()).resolve(alert(service="payments", labels={"severity": "purple"}))
    assert seen.severity == "warning"
    assert seen.resolved_from["severity"] == "no table has this word: taken for a sign (said: purple)"


def test_the_organisations_word_goes_before_what_the_decoder_understood() -> None:
    resolver = Resolver(catalogue(severities={"P2": "critical"}))
    seen = resolver.resolve(alert(service="payments", severity="high", labels={"severity": "p2"}))
    assert seen.severity == "critical"


def test_what_is_as_the_organisation_says_is_the_same_event() -> None:
    event = alert(service="payments", environment="production", severity="high")
    assert Resolver(catalogue()).resolve(event) is event


def test_announced_work_lists_services_in_any_spelling() -> None:
    said = alert(kind="maintenance.started", labels={"scope": "Payments, pay, nobody"})
    seen = Resolver(catalogue(Alias("ledger", "name", "pay"))).resolve(said)
    assert seen.labels == {"scope": "payments,ledger,nobody"}
    assert seen.resolved_from == {"scope": "names of services (said: Payments, pay, nobody)"}
    own = Resolver(catalogue(Alias("ledger", "source", "a1f3", "alertmanager"))).resolve(
        alert(kind="maintenance.started", labels={"scope": "a1f3"})
    )
    assert own.labels == {"scope": "ledger"}
    other = Resolver(catalogue(Alias("ledger", "source", "a1f3", "pagerduty")))
    assert other.resolve(alert(kind="maintenance.started", labels={"scope": "a1f3"})).labels == {"scope": "a1f3"}
    plain = alert(kind="maintenance.started", service="payments", labels={"scope": "payments, ledger"})
    assert Resolver(catalogue()).resolve(plain) is plain


@pytest.mark.parametrize(
    "said",
    [
        {"labels": {"project": "invoicing"}},
        {"labels": {"flag": "invoicing"}},
        {"labels": {"host": "Invoicing"}},
        {"labels": {"repository": "invoicing"}},
        {"labels": {"service_id": "invoicing"}},
        {"subject": "invoicing"},
        {"service": "invoicing"},
    ],
)
def test_an_alias_of_a_source_is_whatever_this_source_calls_it(said: dict[str, Any]) -> None:
    known = Catalogue({"billing": Service("billing")}, aliases=(Alias("billing", "source", "invoicing", "tool"),))
    event = Event("1", "tool/acme", Instant(0), "change.flag_set", **said)
    assert Names(known).of(event) == ("billing", "alias of tool")
    assert Names(known).of(replace(event, source="other/acme")) != ("billing", "alias of other")


def test_a_name_of_the_catalogue_is_no_alias_of_something_else() -> None:
    services = {"billing": Service("billing"), "shop": Service("shop")}
    known = Catalogue(services, aliases=(Alias("billing", "source", "invoicing", "tool"),))
    event = Event("1", "tool/acme", Instant(0), "change.flag_set", "shop", labels={"project": "invoicing"})
    assert Names(known).of(event) is None


@pytest.mark.parametrize(
    ("kind", "title", "service"),
    [
        ("change.configured", "Apply finished, 1 changed (payments-db)", "payments-db"),
        ("change.configured", "Apply finished: payments-db and ledger", "ld-infra"),
        ("change.configured", "Apply finished", "ld-infra"),
        ("alert.fired", "connection to payments-db refused", "ld-infra"),
    ],
    ids=["one", "two", "none", "an alert names what it cannot reach as well"],
)
def test_what_a_change_under_a_name_of_its_own_changed(kind: Any, title: str, service: str) -> None:
    event = Event("1", "terraform-cloud/acme", Instant(0), kind, "ld-infra", title=title)
    found = Names(catalogue()).of(event)
    assert (event.service if found is None else found[0]) == service
    assert found is None or found[1].startswith(GUESSED)


@pytest.mark.parametrize(
    ("title", "service"),
    [
        ("Mijn Meterstand: error when I submit", "checkout"),
        ("my mijn-meterstand is empty", "checkout"),
        ("the meterstand is empty", None),
        ("Mijn Meterstand and Mijn Factuur are slow", None),
        ("mijn meterstanden", None),
    ],
)
def test_a_source_that_knows_products_names_them_in_titles(title: str, service: str | None) -> None:
    products = (Alias("checkout", "source", "Mijn Meterstand", "zendesk"),
                Alias("payments", "source", "Mijn Factuur", "zendesk"))  # fmt: skip
    event = Event("1", "zendesk/acme", Instant(0), "note.added", title=title)
    found = Names(catalogue(*products)).of(event)
    assert (found and found[0]) == service
    assert Names(catalogue(*products)).of(replace(event, source="intercom/acme")) is None


def test_a_name_is_doubtful_where_the_catalogue_has_services_and_none_is_called_that() -> None:
    assert Names(catalogue()).is_doubtful("basket")
    assert not Names(catalogue()).is_doubtful("checkout")
    assert not Names(Catalogue({})).is_doubtful("basket")


def test_the_second_alert_of_a_name_gets_its_severity_from_its_labels_like_the_first() -> None:
    """What the first taught of its name spares the second nothing that the second says itself."""
    first = alert(title="Replication lag", service="payments-db", labels={"severity": "P1"})
    found = Resolver(catalogue()).all([first, replace(first, id="2")])
    assert [event.severity for event in found] == ["critical", "critical"]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"labels": {"host": "vpn-gw-01"}}, "vpn-gw-01"),
        ({"service": "ssl sessions on vpn-gw-01", "labels": {"host": "vpn-gw-01"}}, "vpn-gw-01"),
        ({"labels": {"object_kind": "Node", "object": "node-07"}, "kind": "change.configured"}, "node-07"),
        ({"service": "billing-v2", "labels": {"host": "vpn-gw-01"}}, "billing-v2"),
        ({"labels": {"instance": "10.2.3.4:9100"}}, None),
        ({"labels": {"host": "vpn-gw-01"}, "kind": "impact.started"}, None),
    ],
)
def test_a_machine_of_which_nobody_says_whose_it_is_is_a_place_of_its_own(
    said: dict[str, Any], place: str | None
) -> None:
    """So that a sign on it meets what is done to it."""
    assert resolved(alert(**said))[0] == place


def test_a_machine_whose_service_is_known_is_a_part_of_that() -> None:
    assert resolved(alert(labels={"host": "payments-db-01"}))[0] == "payments-db"
    named = Alias("ledger", "host", "vpn-gw-*")
    assert resolved(alert(labels={"host": "vpn-gw-01"}), named)[0] == "ledger"
