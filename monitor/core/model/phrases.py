"""Phrases that people write alike whatever their trade, by meaning and language: data, and how it is searched.

A phrase that is missing costs nothing: it is one sign among many. Words of a language are regular expressions without
groups; where a language has spaces they match whole words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Phrases = Mapping[str, tuple[str, ...]]
"""By language (ISO 639-1)."""

WITHOUT_SPACES = frozenset({"ja", "zh", "th"})

DRILL: Phrases = {
    "en": (
        r"game[ -]?days?", r"(?:fire|dr|failover|evacuation|disaster)[ -]drill", r"chaos (?:test|experiment|day)",
        r"chaos engineering", r"disaster[ -]recovery (?:test|exercise)",
    ),
    "de": (r"notfall(?:ü|ue)bung", r"chaos-?test", r"wiederanlauftest"),
    "fr": (r"exercice de (?:crise|bascule|reprise)", r"test de chaos"),
    "es": (r"simulacro", r"prueba de caos"),
    "pt": (r"simulado de (?:crise|desastre|falha)", r"teste de caos"),
    "ja": ("障害訓練", "避難訓練", "カオステスト"),
}  # fmt: skip


def searching(*tables: Phrases) -> re.Pattern[str]:
    """A pattern that finds any phrase of these tables, in any of their languages."""
    whole: list[str] = []
    anywhere: list[str] = []
    for table in tables:
        for language, phrases in table.items():
            (anywhere if language in WITHOUT_SPACES else whole).extend(phrases)
    parts = [rf"\b(?:{'|'.join(whole)})\b"] if whole else []
    return re.compile("|".join([*parts, *anywhere]), re.IGNORECASE)
