"""What is compressed on its way into a column comes back as it was."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from monitor.ops.squeezing import LARGE, Unsqueezed, squeeze, unsqueeze

MAGIC = b"\x28\xb5\x2f\xfd"


@given(st.binary(max_size=3 * LARGE))
def test_every_value_comes_back(value: bytes) -> None:
    assert unsqueeze(squeeze(value)) == value


@given(st.binary(max_size=50))
def test_what_looks_compressed_comes_back_too(rest: bytes) -> None:
    assert unsqueeze(squeeze(MAGIC + rest)) == MAGIC + rest


def test_small_values_stay_readable_and_large_ones_shrink() -> None:
    assert squeeze(b"a" * (LARGE - 1)) == b"a" * (LARGE - 1)
    assert len(squeeze(b"a" * LARGE)) < 100


def test_without_memory_to_compress_it_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def compress(_value: bytes, _level: int) -> bytes:
        raise zstandard.ZstdError("cannot compress: Allocation error : not enough memory")

    monkeypatch.setattr(zstandard, "compress", compress)
    with pytest.raises(MemoryError, match="not enough memory"):
        squeeze(b"a" * LARGE)


def test_damage_is_told() -> None:
    with pytest.raises(zstandard.ZstdError):
        unsqueeze(squeeze(b"a" * LARGE)[:-5])


def test_kept_values_are_decompressed_when_asked_for_and_gone_once_taken() -> None:
    kept = {"small": squeeze(b"1"), "large": squeeze(b"a" * LARGE)}
    values = Unsqueezed(kept)
    assert values == {"small": b"1", "large": b"a" * LARGE}
    assert "large" in values
    assert values.pop("large") == b"a" * LARGE
    assert values == {"small": b"1"}
    assert len(kept) == 1
