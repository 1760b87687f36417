"""What the pieces of one body share is looked at once, or in a few characters: their product is nobody's to spend."""

from __future__ import annotations

from monitor.decode.reading import LONGEST_NAME, person_or_bot


def test_a_name_is_no_longer_than_names_are() -> None:
    assert getattr(person_or_bot("a" * (LONGEST_NAME - 5) + "[bot]", "human"), "kind", None) == "automation"
    assert getattr(person_or_bot("a" * LONGEST_NAME + "[bot]", "human"), "kind", None) == "human"
