"""A source has one name, whichever alias or spelling a sender uses; what no tool reads has none."""

from __future__ import annotations

import pytest

from monitor.decode.registry import SOURCES, canonical_source


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("events", "events"),
        ("canonical", "events"),
        ("Canonical/CI", "events/ci"),
        ("PagerDuty/Acme", "pagerduty/acme"),
        ("pagerduty/.", None),
        ("pagerduty/./acme", None),
        ("pagerduty/../events", None),
        ("pagerduty//acme", None),
        ("pagerduty/", None),
        ("/pagerduty", None),
        ("pagerduty/a b", None),
        ("pagerduty/" + "a" * 200, None),
        ("p\u0430gerduty", None),
        ("nobody", None),
        ("", None),
    ],
)
def test_a_source_has_one_name(name: str, canonical: str | None) -> None:
    assert canonical_source(name) == canonical


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_canonical_name_stays_as_it_is(source: str) -> None:
    canonical = canonical_source(source)
    assert canonical is not None
    assert canonical_source(canonical) == canonical
