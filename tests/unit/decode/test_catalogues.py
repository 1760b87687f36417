"""The short form of a catalogue."""

from __future__ import annotations

import pytest

from monitor.decode.catalogues import BadCatalogue, catalogue_from_mapping


def test_every_service_that_is_named_is_known() -> None:
    catalogue = catalogue_from_mapping({"user_facing": ["shop"], "depends_on": {"api": ["db"], "shop": ["api"]}})
    assert set(catalogue.services) == {"shop", "api", "db"}
    assert [name for name in sorted(catalogue.services) if catalogue.is_user_facing(name)] == ["shop"]
    assert catalogue.upward("db") == {"db", "api", "shop"}


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
    ],
)
def test_what_is_no_catalogue_is_named(written: dict[str, object], said: str) -> None:
    with pytest.raises(BadCatalogue, match=said):
        catalogue_from_mapping(written)
