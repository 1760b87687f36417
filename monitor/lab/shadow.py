"""Rules in shadow mode as if they were live: what their author wants to see. Decides nothing about them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.model.rule import Rule


def has_shadow(rules: Sequence[Rule]) -> bool:
    return bool(shadow_names(rules))


def shadow_names(rules: Sequence[Rule]) -> frozenset[str]:
    return frozenset(rule.name for rule in rules if rule.mode == "shadow")


def as_live(rules: Sequence[Rule]) -> list[Rule]:
    """The rules, those in shadow mode live; all else about them stays, their version too."""
    return [msgspec.structs.replace(rule, mode="live") if rule.mode == "shadow" else rule for rule in rules]
