"""Checks that a rule silences, each with the reason: `silence: {NM105: "the vendor sends nothing but a title"}`.

A silence holds for its file, and only as long as it silences something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Mapping as Silences

from monitor.located.checks import Check
from monitor.located.form import name_of
from monitor.located.nodes import Mapping, Node, Scalar
from monitor.located.problems import Place, Problem, Problems, meant

SILENCEABLE = tuple(check for check in Check if check.startswith("NM1") and check is not Check.IDLE_SILENCE)
AT_LOAD = frozenset(SILENCEABLE) - {Check.NEVER_SENT, Check.SHORT_HISTORY}
"""Checks that every reading of a rule with its examples makes; the others are made by single commands."""
SAMPLE = '`silence: {NM105: "the vendor sends nothing but a title"}`'
_EXPECTED = "checks by id, each with the reason"


def read_silences(node: Node, problems: Problems) -> dict[Check, Place]:
    """The checks that a rule file silences, with the place of each. Unknown ids and missing reasons are errors."""
    said = node.get("silence") if isinstance(node, Mapping) else None
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        problems.error(said.place, f"silence is {name_of(said)}", _EXPECTED, SAMPLE)
        return {}
    found: dict[Check, Place] = {}
    for key, (written, reason) in said.entries.items():
        if key not in SILENCEABLE:
            hint = meant(key, SILENCEABLE, "an id of the page docs/reference/checks.md")
            problems.error(written.place, f"no check {key!r} can be silenced", "the id of a check of rules", hint)
        elif not isinstance(reason, Scalar) or not isinstance(reason.value, str) or not reason.text.strip():
            message = f"{key} is silenced without a reason"
            problems.error(reason.place, message, "a sentence that says why it is right here", SAMPLE)
        else:
            found[Check(key)] = written.place
    return found


def without_silenced(
    problems: Iterable[Problem], silences: Silences[str, Silences[Check, Place]], made: Collection[Check]
) -> tuple[Problem, ...]:
    """The problems that no silence of their file covers, and a warning for each silence that covers none.

    `made`: the checks that were made; a silence of another one is not called idle.
    """
    kept, idle = [], {(file, check): place for file, checks in silences.items() for check, place in checks.items()}
    covered = set()
    for problem in problems:
        if problem.check is not None and problem.check in silences.get(problem.file, ()):
            covered.add((problem.file, problem.check))
        else:
            kept.append(problem)
    more = Problems()
    for (file, check), place in idle.items():
        if check in made and (file, check) not in covered:
            message = f"{check} is silenced, and nothing here gives that warning"
            more.warning(Check.IDLE_SILENCE, place, message, "a silence that is needed", f"removing {check}")
    return tuple(sorted((*kept, *more), key=lambda problem: (problem.file, problem.line, problem.column)))
