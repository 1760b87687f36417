"""The shipped rules, read and compiled once for all tests of a process: that takes longer than most tests."""

from __future__ import annotations

from functools import cache

from monitor.core.matching.matcher import Matcher
from monitor.core.model.rule import Rule
from monitor.lab.evaluate import compiled_rules
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules


@cache
def read_shipped() -> tuple[Rule, ...]:
    """They are values: nobody can change them for the next test."""
    return load_rules(shipped_rules()).rules


@cache
def compiled_shipped() -> Matcher:
    """For an engine that takes what was compiled for another, as those of a service do."""
    return compiled_rules(read_shipped(), make_regex)
