"""The version of a rule: a hash over what it means, so that comments, examples and order of keys do not change it."""

from __future__ import annotations

import hashlib

import msgspec

from monitor.core.model.rule import Rule

LENGTH = 16


def version_of(rule: Rule) -> str:
    """Hexadecimal; equal for two rules that behave alike. The description is for readers and does not count."""
    meaning = msgspec.structs.replace(rule, version="", description="")
    return hashlib.sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()[:LENGTH]
