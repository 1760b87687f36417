"""Stories of many organisations that lie beside this file: events, and evenings as bodies that tools send.

Written by people who had read neither a rule, a weight nor a decoder. Some have helped to cure what they found since:
what is held here is what was reached, no promise for stories that nobody has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli.case_files import find_case_files, load_case
from monitor.core.model.durations import say_duration
from monitor.lab.cases import Case
from monitor.lab.evaluate import compiled_rules, run_case
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from monitor.review.likelihood import likely
from tests.support.shipped import read_shipped

HERE = Path(__file__).parent


def cases_of(folder: str) -> list[Case]:
    loaded = [load_case(path) for path in find_case_files(HERE / folder)]
    broken = [str(problem) for each in loaded for problem in each.problems if each.case is None]
    assert broken == []
    return [each.case for each in loaded if each.case is not None]


SPAN = re.compile(r"(?<![\w.])\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?(?!\w)")
SEVERAL = ("bluehive-2026-03-11-flagsmith", "haulmate-2026-01-19-flag", "farebird-rail-2026-03-19-splitfares")


@pytest.mark.parametrize("name", SEVERAL)
def test_title_and_margin_have_one_beginning_and_no_reason_has_another(name: str) -> None:
    """Evenings in which a draft has several signs or acts."""
    (case,) = (each for each in cases_of("evenings") if each.id == name)
    outcome = run_case(case, read_shipped(), make_regex, shipped_weights())
    drafts = [entry.draft for entry in outcome.ledger.entries()]
    assert drafts
    for draft in drafts:
        assert draft.told_from is not None
        assert draft.told_to is not None
        told = say_duration(draft.told_to - draft.told_from)
        said = SPAN.findall(draft.title) + (SPAN.findall(draft.margin.text) if draft.margin is not None else [])
        assert set(said) <= {told}, draft.title
        weighed = likely(draft)
        for sentence in (*weighed.in_favour, *weighed.against):
            assert len(SPAN.findall(sentence)) <= 1, sentence


@pytest.mark.parametrize(
    ("folder", "recall", "precision", "contradictions"), [("stories", 0.91, 0.88, 1), ("evenings", 0.8, 1.0, 0)]
)
def test_what_is_reached_on_stories_of_our_own(
    folder: str,
    recall: float,
    precision: float,
    contradictions: int,
    record_property: Callable[[str, object], None],
) -> None:
    rules, weights = read_shipped(), shipped_weights()
    compiled = compiled_rules(rules, make_regex)
    results = [run_case(case, rules, make_regex, weights, compiled).judged for case in cases_of(folder)]
    near = [one for one in results if one.label == "near_miss"]
    hurt = [one.id for one in results if one.label == "impact" and one.standing]
    found, drafts = sum(one.ok for one in near), sum(one.standing for one in results)
    true = drafts - sum(one.false_drafts for one in results)
    record_property("found", f"{found} of {len(near)}")
    record_property("true drafts", f"{true} of {drafts}")
    record_property("standing on impact", f"{len(hurt)} of {sum(one.label == 'impact' for one in results)}")
    assert found / len(near) >= recall
    assert true / drafts >= precision
    assert len(hurt) <= contradictions, hurt
