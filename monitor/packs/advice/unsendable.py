"""Conditions that nothing sends: demands of a rule that no body of any known tool can meet, told where they stand.

Only demands count. What `not:` excludes and what `absent:` must not have happened ask nobody to send anything, and a
label of the format that only adds a way to match, beside one that tools can take, is evidence that a sender may give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from monitor.core.model.conditions import Compare, fields_of, say
from monitor.core.model.rule import Pair, Rule, Step
from monitor.located.checks import Check
from monitor.located.files import find_files
from monitor.located.nodes import Listing, Mapping, Node, node_at, place_at, read_located
from monitor.located.problems import Place, Problem, Problems
from monitor.packs.advice.demands import demands, entry_alone
from monitor.packs.advice.vocabulary import CLOSED, FIELDS, Said, Vocabulary
from monitor.packs.language.conditions import GROUPS
from monitor.packs.language.grammar import read_rule
from monitor.packs.language.schema import SENDERS_LABELS
from monitor.packs.language.silences import read_silences, without_silenced

_NEEDED = {
    "derived.share": ("value", "limit"),
    "derived.headroom": ("value", "limit"),
    "derived.time_left": ("expires_at",),
    "derived.trend": ("value",),
}
"""Facts that need fields of the event; the others rest on the catalogue or on what happened before."""
_RESOLVED = frozenset({"service", "environment", "severity"})
"""The catalogue may supply these whatever the tool said."""
_ASKS_FOR_A_FIELD = frozenset(FIELDS) - _RESOLVED
HINT = "a condition on what its tools say (docs/reference/vocabulary.md), or `--allow-custom NAME` for a label of yours"

_Sender = tuple[str, str]
"""A tool and a kind of event that it sends."""
_Told = tuple[Place, str]


def find_unsendable(path: Path, vocabulary: Vocabulary, custom: Collection[str] = ()) -> tuple[Problem, ...]:
    """A warning for each demand of the rules under a path that no tool can meet. Rules with errors are passed over.

    `custom`: names of labels that the organisation's own senders set.
    """
    problems, silences = Problems(), dict[str, dict[Check, Place]]()
    for file in find_files(path, Problems()):
        node = read_located(file, Problems(), "examples")
        rule = None if node is None else read_rule(node, Problems())
        if rule is not None and node is not None:
            silences[node.place.file] = read_silences(node, Problems())
            finder = _Finder(vocabulary, frozenset(custom))
            _of_rule(rule, node, finder)
            for place, message in finder.told:
                problems.warning(Check.NEVER_SENT, place, message, "what a tool really sends", HINT)
    return without_silenced(problems, silences, (Check.NEVER_SENT,))


def _of_rule(rule: Rule, node: Node, finder: _Finder) -> None:
    hazards = finder.step(rule.hazard, node, ("hazard",))
    if not rule.intervention.itself:
        acts = finder.step(rule.intervention.step, node, ("intervention",))
        finder.pairs(rule.intervention.pairs, hazards, acts, place_at(node, "intervention"))
    for clause in rule.clauses:
        if clause.at_most != 0 and clause.at_least > 0:
            finder.step(clause.step, node, ("steps", clause.name))


class _Finder:
    def __init__(self, vocabulary: Vocabulary, custom: frozenset[str]) -> None:
        self._said: dict[_Sender, Said] = {
            (name, kind): said
            for name, tool in vocabulary.tools.items()
            for kind in tool.kinds
            if (said := tool.sends(kind)) is not None
        }
        self._custom = custom
        self._told: list[_Told] = []

    @property
    def told(self) -> tuple[_Told, ...]:
        return tuple(self._told)

    def step(self, step: Step, node: Node, path: tuple[str, ...]) -> set[_Sender]:
        """Who can send an event that satisfies the step; everybody where the problem has been told."""
        senders = {sender for sender in self._said if sender[1] in step.kinds}
        where = node_at(node, *path, "where")
        if not senders:
            self._say(place_at(node, *path, "kind"), "no known tool sends such an event")
        return self._walk(where, senders) if where is not None and senders else senders

    def pairs(self, pairs: tuple[Pair, ...], hazards: set[_Sender], acts: set[_Sender], place: Place) -> None:
        """Fields that must be there on both sides to be compared."""
        for pair in pairs if hazards and acts else ():
            for field, senders, what in ((pair.hazard, hazards, "a hazard"), (pair.theirs, acts, "an intervention")):
                if pair.equal and not any(self._has(sender, field) for sender in senders):
                    self._say(place, f"no known tool sends {field} with such {what}, so that nothing is the same")

    def _walk(self, node: Node, senders: set[_Sender]) -> set[_Sender]:
        """Those senders who can satisfy a mapping; says where the last of them is lost."""
        if not isinstance(node, Mapping):
            return senders
        left = senders
        for place, demanded in self._parts(node):
            left = self._narrow(place, demanded, left)
            if not left:
                return left
        everything = node.get("all")
        for item in everything.items if isinstance(everything, Listing) else []:
            left = self._walk(item, left)
            if not left:
                return left
        alternatives = node.get("any")
        return self._branches(alternatives, left) if isinstance(alternatives, Listing) else left

    def _parts(self, node: Mapping) -> Iterator[tuple[Place, list[Compare]]]:
        for key, (written, _) in node.entries.items():
            if key not in GROUPS:
                yield written.place, demands(entry_alone(node, key))

    def _branches(self, node: Listing, senders: set[_Sender]) -> set[_Sender]:
        """Those who can take one of the ways; a way that nobody can take is told, unless a sender of the format may."""
        before, able = self._told, set[_Sender]()
        ways: list[tuple[Node, list[_Told]]] = []
        for item in node.items:
            self._told = []
            able |= self._walk(item, senders)
            ways.append((item, self._told))
        self._told = before
        for item, told in ways:
            if not able or not self._is_for_own_senders(item):
                self._told += told
        return able

    def _is_for_own_senders(self, node: Node) -> bool:
        """Whether it asks for nothing but what the format has for those who send events themselves."""
        labels = {field for compare in demands(node) for field in fields_of(compare) if field.startswith("labels.")}
        strange = {label for label in labels if label.removeprefix("labels.") not in SENDERS_LABELS}
        return not any(self._is_unsaid(label) for label in strange)

    def _is_unsaid(self, field: str) -> bool:
        return not any(self._has(sender, field) for sender in self._said)

    def _narrow(self, place: Place, demanded: list[Compare], senders: set[_Sender]) -> set[_Sender]:
        left = {sender for sender in senders if all(self._can(sender, compare) for compare in demanded)}
        if not left:
            said = " and ".join(map(say, demanded))
            alone = any(all(self._can(sender, compare) for compare in demanded) for sender in self._said)
            with_this = "together with what else is asked here" if alone else "with any kind of event"
            self._say(place, f"no known tool sends this {with_this}: {said}")
        return left

    def _say(self, place: Place, message: str) -> None:
        self._told.append((place, message))

    def _can(self, sender: _Sender, compare: Compare) -> bool:
        """Whether a sender may satisfy a comparison: false only where that is sure."""
        if compare.field == "kind":
            return compare.operator not in ("equals", "one_of") or sender[1] in compare.operands
        if compare.operator == "present" and compare.operands == (False,):
            return True
        said = self._said[sender]
        if compare.field == "derived.actor":
            named = "actor.id" in said or "actor.kind" in said
            return named or "unknown" in compare.operands or compare.operator not in ("equals", "one_of")
        if not all(self._has(sender, field) for field in fields_of(compare)):
            return False
        is_word = compare.field in CLOSED and compare.operator in ("equals", "one_of")
        return not is_word or any(str(word).lower() in said[compare.field] for word in compare.operands)

    def _has(self, sender: _Sender, field: str) -> bool:
        said = self._said[sender]
        if field.startswith("labels."):
            return field in said or field.removeprefix("labels.") in self._custom
        if field.startswith("derived."):
            return all(needed in said for needed in _NEEDED.get(field, ()))
        return field in said or field in _RESOLVED or field not in _ASKS_FOR_A_FIELD
