"""Runs the examples of rules through the engine, each alone with its own rule, and says what came and why.

Adds no judgement of its own: an example passes when the engine does what its author wrote down.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Amend, Decision, Ignore, Merge, Open, Withdraw
from monitor.core.model.faults import Fault
from monitor.core.model.near_miss import Draft
from monitor.core.model.rule import Rule
from monitor.packs.examples.reader import Example


class Result(msgspec.Struct, frozen=True):
    """One example and what came of it. `failure` is empty when it passed; `reasons` are all that the engine gave."""

    example: Example
    standing: tuple[Draft, ...]
    reasons: tuple[str, ...]
    failure: str = ""

    @property
    def passed(self) -> bool:
        return not self.failure

    @property
    def expected(self) -> str:
        """What the author wrote down, in a few words."""
        example = self.example
        said: str = example.expect
        if example.reason is not None:
            said += f": {example.reason}"
        if example.verdict is not None:
            said += f", verdict {example.verdict}"
        return said if example.title is None else f"{said}, {example.title!r}"

    @property
    def got(self) -> str:
        """What came, in the words of `expected`."""
        if not self.standing:
            return "none" + (f": {', '.join(sorted(set(map(_name, self.reasons))))}" if self.reasons else "")
        titled = self.example.title is not None
        return "; ".join(
            f"draft, verdict {draft.verdict}" + (f", {draft.title!r}" if titled else "") for draft in self.standing
        )

    @property
    def comparison(self) -> tuple[str, ...]:
        """Expected and got, line below line, and what the engine says about it: drafts with their story, reasons."""
        said = [f"expected  {self.expected}", f"got       {self.got}"]
        for draft in self.standing:
            missing = f", could not check {', '.join(draft.missing_evidence)}" if draft.missing_evidence else ""
            said.append(f"draft     {draft.title} (verdict {draft.verdict}{missing})")
            said += [f"          {sentence}" for sentence in draft.explanation]
        said += [f"reason    {reason}" for reason in dict.fromkeys(self.reasons)]
        return tuple(said)


def run_examples(rules: Sequence[Rule], examples: Sequence[Example], make_regex: MakeRegex) -> tuple[Result, ...]:
    """Every example whose rule is among the rules, in order. A rule in shadow mode is run as if it were live."""
    by_name = {rule.name: rule for rule in rules}
    return tuple(
        run_example(by_name[example.rule], example, make_regex) for example in examples if example.rule in by_name
    )


def run_example(rule: Rule, example: Example, make_regex: MakeRegex) -> Result:
    """Step through the events, end the stream, and compare."""
    shown = msgspec.structs.replace(rule, mode="live") if rule.mode == "shadow" else rule
    engine = Engine([shown], example.catalogue, make_regex)
    try:
        decisions = [*engine.step(example.events), *engine.end()]
    except Fault as fault:
        return Result(example, (), (), f"the engine {fault}: {fault.why}; this is a defect of nearmiss")
    standing = _standing(decisions)
    reasons = tuple(_reason(decision) for decision in decisions if isinstance(decision, Ignore | Withdraw))
    return Result(example, standing, reasons, _failure(example, standing, reasons))


def _standing(decisions: Sequence[Decision]) -> tuple[Draft, ...]:
    drafts: dict[str, Draft] = {}
    for decision in decisions:
        match decision:
            case Open(draft) | Amend(draft):
                drafts[draft.id] = draft
            case Withdraw(draft_id) | Merge(draft_id):
                drafts.pop(draft_id, None)
            case _:
                pass
    return tuple(drafts.values())


def _reason(decision: Ignore | Withdraw) -> str:
    """`reason: detail`, and which events it is about."""
    if isinstance(decision, Withdraw):
        about = ", ".join(cited.event.id for cited in decision.evidence)
        return f"{decision.reason}: withdrawn" + (f" because of {about}" if about else "")
    about = ", ".join(reference.id for reference in decision.evidence)
    return f"{decision.reason}: {decision.detail or 'no more to say'}" + (f" ({about})" if about else "")


def _name(reason: str) -> str:
    return reason.partition(":")[0]


def _failure(example: Example, standing: tuple[Draft, ...], reasons: tuple[str, ...]) -> str:
    """What differs from what was expected, or an empty text."""
    if example.expect == "none":
        if standing:
            return f"a draft stands: {standing[0].title!r}"
        named = sorted(set(map(_name, reasons)))
        if example.reason is not None and example.reason not in named:
            return f"the reason is {', '.join(named) or 'not given'}, not {example.reason}"
        return ""
    if len(standing) != 1:
        return "no draft stands" if not standing else f"{len(standing)} drafts stand, not one"
    draft = standing[0]
    if example.verdict is not None and draft.verdict != example.verdict:
        missing = ", ".join(draft.missing_evidence) or "nothing"
        return f"the verdict is {draft.verdict} (missing: {missing}), not {example.verdict}"
    if example.title is not None and draft.title != example.title:
        return f"the title is {draft.title!r}, not {example.title!r}"
    return ""
