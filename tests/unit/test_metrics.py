"""The catalogue of metrics: complete at zero, closed where the values are known, and its own registry."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from monitor.app.metrics import Metrics
from monitor.core.model.near_miss import Dismissal, Move
from monitor.core.model.reasons import Ignored, NotOpened, Rejected, Withdrawn
from monitor.ops.labelled import NO_REASON, OTHER


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("nearmiss_events_rejected_total", "reason", Rejected),
        ("nearmiss_events_ignored_total", "reason", Ignored),
        ("nearmiss_not_opened_total", "reason", NotOpened),
        ("nearmiss_drafts_withdrawn_total", "reason", Withdrawn),
        ("nearmiss_events_received_total", "source", ["github", "pagerduty", OTHER]),
        ("nearmiss_drafts_opened_total", "rule", ["rolled-back-in-time", OTHER]),
    ],
)
def test_every_known_label_value_is_there_at_zero(name: str, label: str, values: list[str]) -> None:
    metrics = Metrics(sources=["github", "pagerduty"], rules=["rolled-back-in-time"])
    assert {each: value(metrics, name, **{label: str(each)}) for each in values} == dict.fromkeys(values, 0.0)


def test_every_decision_that_a_person_can_make_is_there_at_zero() -> None:
    metrics = Metrics()
    for move in Move:
        reasons = list(Dismissal) if move is Move.DISMISS else [NO_REASON]
        wanted = None if move is Move.WITHDRAW else 0.0
        for reason in reasons:
            assert value(metrics, "nearmiss_decisions_total", decision=move, reason=str(reason)) == wanted


def test_a_dismissal_counts_under_its_reason_and_other_moves_without() -> None:
    metrics = Metrics()
    metrics.decisions.inc(Move.DISMISS, "false_alarm")
    metrics.decisions.inc(Move.ACCEPT, "a word that nobody asked for")
    assert value(metrics, "nearmiss_decisions_total", decision="dismiss", reason="false_alarm") == 1
    assert value(metrics, "nearmiss_decisions_total", decision="accept", reason="none") == 1


def test_a_closed_list_of_reasons_takes_no_other() -> None:
    metrics = Metrics()
    metrics.events_rejected.inc(Rejected.NOT_JSON)
    assert value(metrics, "nearmiss_events_rejected_total", reason="not_json") == 1
    with pytest.raises(KeyError):
        metrics.events_rejected.inc("a made up one")  # type: ignore[arg-type]  # the type checker says so as well


def test_a_name_that_nobody_announced_counts_as_other_and_makes_no_new_series() -> None:
    metrics = Metrics(sources=["github"])
    metrics.events_received.inc("github", 2)
    metrics.events_received.inc("../../etc/passwd")
    assert value(metrics, "nearmiss_events_received_total", source="github") == 2
    assert value(metrics, "nearmiss_events_received_total", source="other") == 1
    assert b"passwd" not in metrics.render()


def test_rules_of_a_reload_are_added_and_keep_their_counts() -> None:
    metrics = Metrics(rules=["a"])
    metrics.drafts_opened.inc("a")
    metrics.know_rules(["a", "b"])
    assert value(metrics, "nearmiss_drafts_opened_total", rule="a") == 1
    assert value(metrics, "nearmiss_drafts_opened_total", rule="b") == 0
    assert value(metrics, "nearmiss_rules_loaded") == 2


def test_gauges_of_the_engine_are_taken_over_by_name() -> None:
    metrics = Metrics()
    metrics.set_engine_gauges({"open_instances": 3, "feeds": 2})
    assert value(metrics, "nearmiss_open_instances") == 3
    assert value(metrics, "nearmiss_feeds") == 2
    with pytest.raises(KeyError):
        metrics.set_engine_gauges({"a_new_one": 1})


def test_two_catalogues_do_not_share_a_count() -> None:
    one, two = Metrics(), Metrics()
    one.commits.inc()
    assert value(two, "nearmiss_commits_total") == 0


def test_the_registry_can_be_given() -> None:
    registry = CollectorRegistry()
    assert Metrics(registry).registry is registry


def test_what_is_rendered_can_be_scraped_and_names_the_version() -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(Metrics(version="1.2").render().decode())
    }
    (sample,) = families["nearmiss_build_info"].samples
    assert (sample.value, sample.labels["version"]) == (1, "1.2")
    assert not [name for name in families if name.endswith("_created")]


def test_each_has_our_prefix_and_a_sentence() -> None:
    for family in Metrics().registry.collect():
        assert family.name.startswith(("nearmiss_", "process_"))
        assert family.documentation.endswith(".")
