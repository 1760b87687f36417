"""The file of weights: what comes with the program is right, and every mistake is named where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.weighing.features import FEATURES
from monitor.packs.weights import load_weights, shipped_weights

WEIGHTS = {name: f"{feature.reasoned:g}" for name, feature in FEATURES.items()}
AFTER = 2 + len(WEIGHTS)
"""The line after the last weight."""


def written(folder: Path, changes: dict[str, str | None]) -> Path:
    """A good file with so many changes; None takes a key out."""
    keys: dict[str, str | None] = {"live": "0.5", "digest": "0.4"}
    weights: dict[str, str | None] = dict(WEIGHTS)
    for name, value in changes.items():
        (keys if name in ("live", "digest", "provenance", "threshold") else weights)[name] = value
    lines = ["weights:", *(f"  {name}: {value}" for name, value in weights.items() if value is not None)]
    lines += [f"{name}: {value}" for name, value in keys.items() if value is not None]
    path = folder / "weights.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def line_of(name: str) -> int:
    return 2 + list(WEIGHTS).index(name)


def test_the_weights_of_the_program_are_right() -> None:
    assert set(shipped_weights().weights) == set(FEATURES)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    loaded = load_weights(written(tmp_path, {"live": "0.6", "provenance": "by hand"}))
    assert loaded.problems == ()
    assert loaded.weights is not None
    assert (loaded.weights.live, loaded.weights.digest, loaded.weights.provenance) == (0.6, 0.4, "by hand")
    assert loaded.weights.weights["reversal"] == FEATURES["reversal"].reasoned


@pytest.mark.parametrize(
    ("changes", "line", "said"),
    [
        ({"reversl": "1"}, AFTER, "reversl is not a feature"),
        ({"reversal": "-1"}, 1, "reversal may not be negative"),
        ({"routine": "1"}, 1, "routine may not be positive"),
        ({"reversal": None}, 1, "reversal has no weight"),
        ({"severity": "grave"}, line_of("severity"), "severity is not a number"),
        ({"severity": "true"}, line_of("severity"), "severity is not a number"),
        ({"severity": "21"}, 1, "severity must be a number between -20 and 20"),
        ({"live": None}, 1, "live is missing"),
        ({"digest": None}, 1, "digest is missing"),
        ({"live": "high"}, AFTER, "live is not a number"),
        ({"live": "0.3"}, 1, "0 < digest <= live < 1"),
        ({"live": "1"}, 1, "0 < digest <= live < 1"),
        ({"digest": "0"}, 1, "0 < digest <= live < 1"),
        ({"threshold": "1"}, AFTER + 2, "there is no key 'threshold'"),
    ],
)
def test_a_mistake_is_named_where_it_stands(
    tmp_path: Path, changes: dict[str, str | None], line: int, said: str
) -> None:
    loaded = load_weights(written(tmp_path, changes))
    assert loaded.weights is None
    (problem,) = loaded.problems
    assert said in str(problem)
    assert f"weights.yaml:{line}:" in str(problem)


@pytest.mark.parametrize("text", ["", "- 1\n", "weights: 3\nlive: 0.5\ndigest: 0.4\n", "weights: {\n"])
def test_what_is_no_table_of_weights_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "weights.yaml"
    path.write_text(text)
    loaded = load_weights(path)
    assert loaded.weights is None
    assert loaded.problems
