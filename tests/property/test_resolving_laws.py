"""The laws of resolving: once is as good as twice, nothing becomes less, and the tool's own words stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.catalogue import Alias, Catalogue, Service
from monitor.core.model.events import KINDS, Event, Instant
from monitor.core.resolving.resolver import Resolver

NAMES = ("payments", "Payments", "pay ments", "checkout", "kubelet", "pay-web", "x-kube-state-metrics", "other", "")
LABELS = ("deployment", "pod", "container", "namespace", "service.name", "severity", "repository", "team", "host")
WORDS = (*NAMES, "payments-7d9f8b6c5-x2x7q", "acme/pay", "SEV1", "purple", "prd", "stg")
SAID = ("customers cannot pay", "rolled it back", "shop is down for users, restarted the pod", "lunch?")
"""What records and people say: of harm, of an act, of both, of neither."""
NOW = Instant(1_800_000_000_000_000)
DEADLINES = st.none() | st.sampled_from((Instant(NOW - 3_600_000_000), Instant(NOW + 3_600_000_000)))

aliases = st.builds(
    Alias,
    st.sampled_from(("payments", "checkout")),
    st.sampled_from(("name", "source", "repository", "workload", "namespace", "host", "label", "title")),
    st.sampled_from((*WORDS, "*pay*")),
    st.sampled_from(("pagerduty", "team", "host")),
)
catalogues = st.builds(
    lambda services, production, aliases, words: Catalogue(
        {name: Service(name, user_facing=name == "payments") for name in services},
        production,
        aliases=tuple(aliases),
        environments=words,
    ),
    st.lists(st.sampled_from(("payments", "checkout", "kubelet")), unique=True),
    st.sampled_from((frozenset(), frozenset({"production"}), frozenset({"prod-eu", "live"}))),
    st.lists(aliases, max_size=4),
    st.dictionaries(st.sampled_from(("prd", "blue")), st.sampled_from(("production", "staging", "live")), max_size=2),
)
events = st.builds(
    Event,
    id=st.just("1"),
    source=st.sampled_from(("pagerduty", "pagerduty/acme", "github/acme/pay", "alertmanager")),
    time=st.just(NOW),
    kind=st.sampled_from(sorted(KINDS)),
    service=st.none() | st.sampled_from(NAMES),
    environment=st.none() | st.sampled_from(("prod", "prd", "Live", "stg", "blue", "prod-eu")),
    severity=st.none() | st.sampled_from(("critical", "info")),
    title=st.none() | st.sampled_from((*WORDS, "ErrorBudgetBurn", "ProbeFailed", *SAID)),
    labels=st.dictionaries(st.sampled_from(LABELS), st.sampled_from(WORDS), max_size=4)
    | st.builds(lambda text: {"summary": text}, st.sampled_from(SAID)),
    expires_at=DEADLINES,
    previous_expires_at=DEADLINES,
)


@given(catalogues, st.lists(events, max_size=8))
def test_resolving_twice_is_resolving_once(catalogue: Catalogue, told: list[Event]) -> None:
    resolver = Resolver(catalogue)
    once = resolver.all(told)
    assert resolver.all(once) == once == Resolver(catalogue).all(once)


@given(catalogues, st.lists(events, max_size=8))
def test_the_order_and_what_was_seen_before_do_not_matter(catalogue: Catalogue, told: list[Event]) -> None:
    resolver = Resolver(catalogue)
    resolver.all(told)
    assert resolver.all(told) == [one for event in told for one in Resolver(catalogue).all([event])]


@given(catalogues, events)
def test_nothing_that_was_said_becomes_nothing(catalogue: Catalogue, event: Event) -> None:
    seen, *further = Resolver(catalogue).all([event])
    assert [one.kind.partition(".")[0] for one in further] in ([], ["impact"])
    assert (seen.id, seen.source, seen.time, seen.kind, seen.labels) == (
        event.id, event.source, event.time, event.kind, event.labels,
    )  # fmt: skip
    for field in ("service", "environment", "severity"):
        said, now = getattr(event, field), getattr(seen, field)
        assert now or not said
        assert now == said or (
            field in seen.resolved_from and (not said or field == "severity" or said in seen.resolved_from[field])
        )
