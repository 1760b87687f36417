"""How the byte budget is divided among the shards."""

from __future__ import annotations

import pytest

from monitor.core.sharding.shares import LEAST, Shares

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "homes", "shares"),
    [
        (None, [1, 1, 2], {1: None, 9: None}),
        (1024 * MEGABYTE, [], {1: 4 * MEGABYTE, 9: 4 * MEGABYTE}),
        (1024 * MEGABYTE, [1], {1: 769 * MEGABYTE, 9: MEGABYTE}),
        (1024 * MEGABYTE, [1, 1, 2], {1: 513 * MEGABYTE, 2: 257 * MEGABYTE, 9: MEGABYTE}),
        (64 * MEGABYTE, [1], {1: 48 * MEGABYTE + 64 * 1024, 9: LEAST}),
    ],
)
def test_a_quarter_is_even_and_the_rest_goes_by_services(
    limit: int | None, homes: list[int], shares: dict[int, int | None]
) -> None:
    found = Shares(limit, homes)
    assert {shard: found.of(shard) for shard in shares} == shares


def test_the_least_is_a_quarter_of_a_megabyte() -> None:
    assert LEAST == 256 * 1024
