"""Mutations that change nothing anybody could see, by module and place, each with the reason."""

from __future__ import annotations

EQUIVALENT: dict[tuple[str, str], str] = {}
