"""The measurements run and give numbers; how large these are is nobody's business here."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from monitor.lab.year.shape import YearShape
from tests.bench import decoders, load, queue, ratios, replay, reviewers, rules, webhook
from tests.bench.__main__ import bench_rules
from tests.bench.measure import run


def test_replay_is_measured_against_the_bare_loop(tmp_path: Path) -> None:
    found = replay.measure(400, tmp_path, services=50, rounds=1)
    assert found.events == 400
    assert min(found.bare, found.least, found.replay, found.ratio, found.least_ratio) > 0
    assert min(found.memory, found.memory_month, found.memory_months) > 0
    assert sum(1 for _ in tmp_path.glob("*.jsonl")) == 3


def test_ratios_are_measured_with_their_bars(tmp_path: Path) -> None:
    found = ratios.measure(400, YearShape(days=14, services=60, busy=0.1), tmp_path, rounds=1, changes=1)
    assert len(found) == 10
    assert all(row.figure >= 0 and row.bar > 0 for row in found)
    assert ratios.Ratio("", 1.0, 1.0).is_met
    assert not ratios.Ratio("", 0.9, 1.0, at_least=True).is_met


def test_rules_are_measured_few_against_many() -> None:
    found = rules.measure(300, few=3, many=30, rounds=1)
    assert math.isfinite(found.ratio)
    assert found.cost_few > 0


def test_a_pack_is_measured_read_and_compiled(tmp_path: Path) -> None:
    found = load.measure(tmp_path, count=20, rounds=1)
    assert found.rules == 20
    assert found.examples > 20
    assert min(found.run, found.check, found.compiled) > 0


def test_decoders_are_measured_against_parsing() -> None:
    found = decoders.measure(20, rounds=1)
    assert found.slowest_tool in decoders.COMMON
    assert 0 < found.slowest <= found.bodies < found.parsed


def test_synthetic_rules_differ() -> None:
    found = rules.synthetic_rules(200)
    assert len({rule.hazard for rule in found}) == 200


def test_the_webhook_is_measured_and_nothing_is_lost() -> None:
    found = webhook.measure(rate=50, seconds=1)
    assert (found.sent, found.accepted, found.durable) == (50, 50, 50)
    assert 0 < found.p50 <= found.p99 <= found.longest


def test_while_old_events_go_nothing_that_comes_is_lost() -> None:
    found = webhook.measure(rate=50, seconds=1, old=600)
    assert (found.sent, found.accepted, found.durable) == (50, 50, 50)


def test_pages_of_a_filled_queue_are_measured() -> None:
    answers, decided = queue.on_sqlite(queue.STORM, 600, rounds=2)
    assert [each.name for each in answers][:2] == ["queue", "folded"]
    assert all(each.p95 > 0 for each in answers)
    assert decided > 0
    assert max(each.size for each in answers) < 150_000


def test_clicks_of_reviewers_are_measured_and_each_is_done() -> None:
    slow, quick = reviewers.on_sqlite((10.0, 40.0), seconds=0.5, count=100, reviewers=4)
    assert (slow.sent, slow.done, quick.sent, quick.done) == (5, 5, 20, 20)
    assert 0 < quick.p50 <= quick.p95
    assert slow.first_view > 0


def test_open_keys_are_measured() -> None:
    found = json.loads(run(["-m", "tests.bench.open_keys", "20000"]).output)
    assert found["gauges"]["open_instances"] + found["gauges"]["pending_events"] > 0
    assert 0 < found["before"] < found["resident"]
    assert min(found["bytes_early"], found["bytes_late"]) > 0


def test_figures_are_printed_with_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    bench_rules(50)
    assert "asked: at most 1.5" in capsys.readouterr().out


def test_a_command_that_fails_is_not_a_measurement() -> None:
    with pytest.raises(RuntimeError, match=r"exited 1: .*no such thing"):
        run(["-c", "import sys; sys.exit('no such thing')"])


def test_a_restart_needs_little_more_than_the_run_before() -> None:
    """Small, so that it is quick: the program itself is most of it. `make soak` measures at length, and the plateau."""
    command = [
        "-m",
        "tests.bench.soak",
        "--minutes",
        "0.1",
        "--rate",
        "400",
        "--event-rate",
        "0.02",
        "--services",
        "30",
    ]
    found = json.loads(run(command).output)
    last, restarted = found["held"][-1], found["restarted"]
    assert last["days"] > 1
    assert restarted["counted"] == last["counted"] > 0
    assert restarted["resident"] < 1.1 * last["resident"]
    assert found["after"]["days"] > last["days"]
