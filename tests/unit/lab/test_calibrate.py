"""The fit: signs stay, the prior holds, evidence moves it; and what counts as a rescue in labelled material."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model.events import Event, EventId, Instant
from monitor.core.weighing.weights import probability, reasoned
from monitor.lab.calibrate import Labelled, SettledAct, fit, log_odds
from monitor.lab.labelling import HOPELESS, OF_A_YEAR, ONE_IN, acts_in_announced_work, of_year
from monitor.packs.weights import as_text, load_weights

PRIOR = reasoned()


def labelled(number: int, rescue: bool, **values: float) -> Labelled:
    return Labelled(SettledAct(EventId("tool", f"act-{number}"), frozenset(), ({"bias": 1.0, **values},)), rescue)


def test_without_material_the_prior_stays() -> None:
    assert fit([], PRIOR, 30).weights == PRIOR.weights


def test_what_tells_rescues_apart_gains_weight() -> None:
    material = [labelled(n, n % 2 == 0, thin=float(n % 2 == 0)) for n in range(200)]
    fitted = fit(material, PRIOR, 3)
    assert fitted.weights["thin"] > PRIOR.weights["thin"] + 1
    assert fitted.weights["routine"] == PRIOR.weights["routine"]


def test_a_sign_never_turns() -> None:
    """In this material routine work saves the day; the weight may vanish and not change its side."""
    material = [labelled(n, n % 2 == 0, routine=float(n % 2 == 0)) for n in range(400)]
    assert fit(material, PRIOR, 0.1).weights["routine"] == 0.0


def test_shrinkage_holds_to_the_prior() -> None:
    material = [labelled(n, n % 2 == 0, thin=float(n % 2 == 0)) for n in range(60)]
    loose, tight = fit(material, PRIOR, 1).weights["thin"], fit(material, PRIOR, 100).weights["thin"]
    assert abs(tight - PRIOR.weights["thin"]) < abs(loose - PRIOR.weights["thin"])


def test_the_bias_learns_how_rare_rescues_are() -> None:
    rare = [labelled(n, n == 0) for n in range(1000)]
    fitted = fit(rare, PRIOR, 30)
    assert probability(fitted.weights["bias"]) == pytest.approx(0.001, abs=0.0005)


def test_the_option_that_speaks_best_counts() -> None:
    both = SettledAct(EventId("tool", "act"), frozenset(), ({"bias": 1.0}, {"bias": 1.0, "reversal": 1.0}))
    assert log_odds(both, PRIOR.weights) == PRIOR.weights["bias"] + PRIOR.weights["reversal"]


def test_a_fit_can_be_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    path.write_text(as_text(PRIOR, "a test"), encoding="utf-8")
    read = load_weights(path).weights
    assert read is not None
    assert read.weights == PRIOR.weights
    assert read.provenance == "a test"


def test_a_year_keeps_every_rescue_and_a_share_of_what_is_hopeless_that_counts_for_all() -> None:
    year = of_year(5, 14, PRIOR)
    hopeless = [one for one in year if not one.rescue and log_odds(one.candidate, PRIOR.weights) < HOPELESS]
    near = [one for one in year if one.rescue]
    assert near
    assert {one.weight for one in near} == {OF_A_YEAR[0]}
    assert hopeless
    assert {one.weight for one in hopeless} == {OF_A_YEAR[1] * ONE_IN}
    assert len(hopeless) > len(near)


def test_acts_during_announced_work_on_their_service_say_nothing() -> None:
    """The verdict refuses them, whatever they weigh."""
    work = Event("w", "page", Instant(0), "maintenance.started", "db", subject="upgrade")
    during = Event("r1", "kubectl", Instant(5), "change.restarted", "db")
    elsewhere = Event("r2", "kubectl", Instant(6), "change.restarted", "api")
    over = Event("o", "page", Instant(9), "maintenance.ended", "db", subject="upgrade")
    after = Event("r3", "kubectl", Instant(10), "change.restarted", "db")
    assert acts_in_announced_work([work, during, elsewhere, over, after]) == {during.event_id}
