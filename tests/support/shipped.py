"""The shipped rules, read once for all tests of a process: to read them takes longer than most tests."""

from __future__ import annotations

from functools import cache

from monitor.core.model.rule import Rule
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules


@cache
def read_shipped() -> tuple[Rule, ...]:
    """They are values: nobody can change them for the next test."""
    return load_rules(shipped_rules()).rules
