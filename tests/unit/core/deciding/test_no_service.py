"""Events without a service, in any order and however late: named, and never a reason to fail."""

from __future__ import annotations

import json
from itertools import product

import pytest

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Ignore
from monitor.core.model.events import HOUR, KINDS
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Intervention, Step
from monitor.decode.canonical import decode_line
from tests.support.streams import BY_HUMAN, HUMAN_ACTIONS, acted_rule, new_engine

RULES = [
    acted_rule(),
    acted_rule(name="anywhere", intervention=Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 4 * HOUR, reach="any")),
]
NOTHING: list[dict[str, str]] = [{}, {"service": ""}, {"service": "checkout"}]


def line(name: str, minute: int, kind: str, **more: object) -> bytes:
    fields = {"id": name, "source": "s", "time": f"2026-03-10T{12 + minute // 60}:{minute % 60:02}:00Z", "kind": kind}
    actor = {"id": "p", "kind": "human"}
    return json.dumps({**fields, "severity": "critical", "subject": "x", "actor": actor, **more}).encode()


@pytest.mark.parametrize("late", sorted(KINDS))
@pytest.mark.parametrize(("one", "other"), list(product(NOTHING, NOTHING)))
def test_what_names_no_service_and_comes_late_fails_nothing(
    late: str, one: dict[str, str], other: dict[str, str]
) -> None:
    engine = new_engine(RULES, Catalogue())
    lines = [line("a", 0, "alert.fired", **one), line("b", 90, "note.added"), line("c", 5, late, **other)]
    decided = [*engine.step([decode_line(each) for each in lines]), *engine.end()]
    if not one.get("service"):
        named = [each for each in decided if isinstance(each, Ignore) and each.evidence[0].id == "a"]
        assert {each.reason for each in named} == {NotOpened.NO_SERVICE}
