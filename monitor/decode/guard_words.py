"""What refused an operation, by the words of the refusal: clouds give such an error a code that says nothing of it."""

from __future__ import annotations

import re

_GUARDS = (
    (
        "deletion_protection",
        re.compile(
            r"\b(?:deletion|termination)[ _-]?protection|protected against (?:accidental )?(?:deletion|termination)"
            r"|disableApiTermination|DeletionProtected",
            re.IGNORECASE,
        ),
    ),
    ("lock", re.compile(r"\bScopeLocked\b|scope\(s\) are locked|\bvault lock\b", re.IGNORECASE)),
    (
        "policy",
        re.compile(
            r"\bRequestDisallowedByPolicy\b|disallowed by policy|denied by org policy|\bconstraints/\S{1,80} violated",
            re.IGNORECASE,
        ),
    ),
    ("permission", re.compile(r"\b(?:Linked)?AuthorizationFailed\b", re.IGNORECASE)),
)
_MOST = 4000
"""Characters of a message that are looked at."""


def guard_in(*words: str | None) -> str | None:
    """The guard that a message or a code of an error names; None where it is an ordinary failure."""
    said = " ".join(word[:_MOST] for word in words if word)
    return next((name for name, pattern in _GUARDS if pattern.search(said)), None)
