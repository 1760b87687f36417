"""What the engine decided is counted under the names that people filter on, and only once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.decisions import Evicted, Ignore, Late, Merge, Withdraw
from monitor.core.model.events import EventId, Instant
from monitor.core.model.reasons import NotOpened, Rejected, StateKind, Withdrawn
from monitor.ops.sampling import Sampler
from monitor.pipeline import tally
from monitor.pipeline.tally import Tally
from monitor.ports import Commit, Reject

AT = Instant(0)


class _Clock:
    def monotonic(self) -> float:
        return 0.0


def _counted(commit: Commit, events: int = 0, contradicted: int = 0) -> dict[tuple[str, str], float]:
    metrics = Metrics()
    Tally(metrics, Sampler(_Clock())).count(commit, events, contradicted)
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in metrics.registry.collect()
        if family.name.startswith("nearmiss_") and family.name != "nearmiss_build_info"
        for sample in family.samples
        if sample.value and not sample.name.endswith(("_bucket", "_created"))
    }


def _commit(*decisions: Evicted | Ignore | Late | Merge | Withdraw, rejects: tuple[Reject, ...] = ()) -> Commit:
    return Commit(decisions=decisions, cells={}, positions={}, epoch=1, at=AT, rejects=rejects)


def test_each_no_is_counted_by_its_reason() -> None:
    commit = _commit(
        Ignore(NotOpened.IMPACT_SEEN, AT, ("a", "b"), "checkout", (), ""),
        Ignore(NotOpened.IMPACT_SEEN, AT, ("a",), None, (), ""),
        Withdraw("nm-1", Withdrawn.IMPACT_TIED, AT, ()),
        Merge("nm-2", "nm-1", AT),
        Late(EventId("s", "e"), AT, 5),
        rejects=(Reject("kafka", str(Rejected.NOT_JSON), "", b"", AT),),
    )
    assert _counted(commit, events=7, contradicted=1) == {
        ("nearmiss_contradictions_total", ""): 1,
        ("nearmiss_events_processed_total", ""): 7,
        ("nearmiss_not_opened_total", "impact_seen"): 2,
        ("nearmiss_drafts_withdrawn_total", "impact_tied"): 1,
        ("nearmiss_late_events_total", ""): 1,
        ("nearmiss_events_rejected_total", "not_json"): 1,
    }


def test_what_there_are_thousands_of_is_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without detail nobody reads their lines, and others wait while they are made."""
    looked: list[str] = []
    monkeypatch.setattr(tally, "is_detailed", lambda: False)
    monkeypatch.setattr(tally, "_log", SimpleNamespace(debug=lambda *_, **__: looked.append("a line")))
    monkeypatch.setattr(Tally, "_one", lambda *_: looked.append("one"))
    commit = _commit(
        *[Late(EventId("s", f"e{number}"), AT, 5) for number in range(3000)],
        *[Ignore(NotOpened.EVICTED, AT, ("a",), None, (), "")] * 2000,
    )
    counted = _counted(commit)
    assert looked == []
    assert counted["nearmiss_late_events_total", ""] == 3000
    assert counted["nearmiss_not_opened_total", "evicted"] == 2000


def test_evictions_are_counted_by_kind() -> None:
    evicted = (Evicted(AT, StateKind.EVENTS, 40), Evicted(AT, StateKind.PLACES, 2), Evicted(AT, StateKind.EVENTS, 10))
    assert _counted(_commit(*evicted)) == {
        ("nearmiss_evicted_total", "events"): 50,
        ("nearmiss_evicted_total", "places"): 2,
    }
