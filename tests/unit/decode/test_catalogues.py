"""The short form of a catalogue."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import Hours
from monitor.decode.catalogues import BadCatalogue, catalogue_from_mapping


def test_every_service_that_is_named_is_known() -> None:
    catalogue = catalogue_from_mapping({"user_facing": ["shop"], "depends_on": {"api": ["db"], "shop": ["api"]}})
    assert set(catalogue.services) == {"shop", "api", "db"}
    assert [name for name in sorted(catalogue.services) if catalogue.is_user_facing(name)] == ["shop"]
    assert catalogue.upward("db") == {"db", "api", "shop"}


NINE_TO_FIVE = {"zone": "UTC", "opens": "9:00", "closes": "24:00"}


def test_hours_are_declared_by_service() -> None:
    catalogue = catalogue_from_mapping({"hours": {"desk": {**NINE_TO_FIVE, "days": ["sat"]}, "shop": NINE_TO_FIVE}})
    assert catalogue.services["desk"].hours == Hours("UTC", 9 * 60, 24 * 60, frozenset({6}))
    assert catalogue.services["shop"].hours == Hours("UTC", 9 * 60, 24 * 60)


def test_an_empty_mapping_knows_nothing() -> None:
    assert catalogue_from_mapping({}).is_empty
    assert catalogue_from_mapping({"depends_on": None, "production": []}).is_empty


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"users": ["a"]}, "no key 'users'"),
        ({"user_facing": {"a": 1}}, "user_facing must be a list"),
        ({"depends_on": ["a"]}, "depends_on must be a mapping"),
        ({"depends_on": {"a": {"b": 1}}}, "a must be a list"),
        ({"hours": ["a"]}, "hours must be a mapping"),
        ({"hours": {"a": {"zone": "UTC"}}}, "the hours of a need a zone, opens and closes"),
        ({"hours": {"a": {**NINE_TO_FIVE, "zone": "Nowhere/Town"}}}, "the hours of a name no time zone"),
        ({"hours": {"a": {**NINE_TO_FIVE, "opens": "25:00"}}}, "the hours of a open and close at a time of day"),
        ({"hours": {"a": {**NINE_TO_FIVE, "days": ["monday"]}}}, "the hours of a name days that are none"),
    ],
)
def test_what_is_no_catalogue_is_named(written: dict[str, object], said: str) -> None:
    with pytest.raises(BadCatalogue, match=said):
        catalogue_from_mapping(written)
