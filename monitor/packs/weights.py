"""Reads the weights of the evidence from YAML; every problem with its line, column and a hint.

Without a file of the operator's own, the weights that come with the program.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from monitor.core.weighing.features import FEATURES
from monitor.core.weighing.weights import Weights, problems_of
from monitor.located.nodes import Mapping, Node, Scalar, read_located
from monitor.located.problems import Problem, Problems, listed, meant

SHIPPED = Path(__file__).with_name("weights.yaml")
_KEYS = ("weights", "live", "digest", "provenance")
_SAMPLE = "`weights: {bias: -5.8, reversal: 2.4, …}`, `live: 0.5` and `digest: 0.4`"


class LoadedWeights(msgspec.Struct, frozen=True):
    """The weights of a file, or None and the errors among `problems`."""

    weights: Weights | None
    problems: tuple[Problem, ...]


def shipped_weights() -> Weights:
    """The weights that come with the program."""
    loaded = load_weights(SHIPPED)
    if loaded.weights is None:
        raise RuntimeError("; ".join(map(str, loaded.problems)))
    return loaded.weights


def load_weights(path: Path) -> LoadedWeights:
    """The weights of a file. Never raises for what the file holds."""
    problems = Problems()
    node = read_located(path, problems)
    weights = None if node is None else _read(node, problems)
    return LoadedWeights(None if problems.errors else weights, tuple(problems))


def _read(node: Node, problems: Problems) -> Weights | None:
    if not isinstance(node, Mapping):
        problems.error(node.place, "this is no mapping", "weights by feature", _SAMPLE)
        return None
    for key, (place, _) in node.entries.items():
        if key not in _KEYS:
            problems.error(place.place, f"there is no key {key!r}", listed(_KEYS), meant(key, _KEYS, "removing it"))
    table = node.get("weights")
    if not isinstance(table, Mapping):
        problems.error(node.place, "there are no weights", "a mapping `weights:`", _SAMPLE)
        return None
    weights: dict[str, float] = {}
    for name, (place, value) in table.entries.items():
        if name not in FEATURES:
            hint = meant(name, FEATURES, "removing it")
            problems.error(place.place, f"{name} is not a feature", f"one of {listed(FEATURES)}", hint)
        elif (number := _number(value, name, problems)) is not None:
            weights[name] = number
    live = _threshold(node, "live", problems)
    digest = _threshold(node, "digest", problems)
    if problems.errors or live is None or digest is None:
        return None
    wrong = problems_of(weights, live, digest)
    for clause in wrong:
        problems.error(node.place, clause, "every feature with a weight of its own sign", _SAMPLE)
    if wrong:
        return None
    said = node.get("provenance")
    return Weights(weights, live, digest, said.text if isinstance(said, Scalar) else "")


def _number(node: Node, name: str, problems: Problems) -> float | None:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.error(node.place, f"{name} is not a number", "a number such as -1.5", "a number without quotes")
        return None
    return float(value)


def _threshold(node: Mapping, key: str, problems: Problems) -> float | None:
    found = node.get(key)
    if found is None:
        problems.error(node.place, f"{key} is missing", "a probability between 0 and 1", f"`{key}: 0.5`")
        return None
    return _number(found, key, problems)


def as_text(weights: Weights, provenance: str) -> str:
    """A weights file that `load_weights` reads."""
    said = {
        "provenance": provenance,
        "live": weights.live,
        "digest": weights.digest,
        "weights": {name: round(weight, 2) for name, weight in weights.weights.items()},
    }
    return yaml.safe_dump(said, sort_keys=False)
