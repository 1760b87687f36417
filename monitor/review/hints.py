"""Phrases that blame or argue from hindsight, each with what to write instead: hints while somebody types, never a bar.

The list is a setting, as each organisation has its own words. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping

HINTS: Mapping[str, str] = {
    "should have": "Say what was known then, and what made the step seem right.",
    "could have": "Say what happened, and what would help next time.",
    "failed to": "Say what was done instead, and why it made sense.",
    "forgot": "Say what would have served as a reminder.",
    "human error": "Say what the step looked like to the person who took it.",
    "mistake": "Say what made sense at the time.",
    "careless": "Say what else needed attention at that moment.",
    "negligent": "Say what else needed attention at that moment.",
    "fault of": "Say what happened, by role, without a culprit.",
    "to blame": "Say what happened, by role, without a culprit.",
    "obvious": "It may be now; say what could be seen then.",
    "why didn't": "Ask what was going on instead.",
}
