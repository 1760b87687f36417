"""Lines are read whole, numbered truly and in bounded memory, whatever the file is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.reasons import Rejected
from monitor.ops.lines import Block, ReadLimits, Unread, blocks, read_lines, size_of

COMPRESSIONS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def read(data: bytes, limits: ReadLimits = ReadLimits()) -> tuple[list[bytes], list[Unread]]:  # noqa: B008
    found = list(blocks(io.BytesIO(data), limits))
    _assert_numbers_are_gapless(found)
    return [line for block in found for line in block.lines], [unread for block in found for unread in block.unread]


def _assert_numbers_are_gapless(found: list[Block]) -> None:
    expected = 1
    for block in found:
        assert block.first == expected
        expected += len(block.lines)


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda line: b"x" + line.replace(b"\n", b"")), min_size=1),
    block=st.integers(1, 50),
    kind=st.sampled_from(sorted(COMPRESSIONS)),
)
def test_any_lines_come_back_for_any_block_size_and_compression(lines: list[bytes], block: int, kind: str) -> None:
    """Where a block ends never shows."""
    found, unread = read(COMPRESSIONS[kind](b"\n".join(lines)), ReadLimits(block=block))
    assert (found, unread) == (lines, [])


def test_a_last_line_without_line_end_and_empty_lines_are_kept() -> None:
    assert read(b"a\n\nb") == ([b"a", b"", b"b"], [])
    assert read(b"a\n") == ([b"a"], [])
    assert read(b"") == ([], [])


def test_a_byte_order_mark_is_dropped() -> None:
    assert read(b"\xef\xbb\xbf{}\n") == ([b"{}"], [])


@pytest.mark.parametrize("block", [3, 8, 1000])
def test_a_line_that_is_too_long_is_named_and_its_neighbours_are_read(block: int) -> None:
    found, unread = read(b"one\n" + b"y" * 30 + b"\nthree\n", ReadLimits(line=10, block=block, kept=4))
    assert found == [b"one", b"", b"three"]
    assert [(u.number, u.reason, u.start) for u in unread] == [(2, Rejected.TOO_LARGE, b"yyyy")]
    assert "30 bytes" in unread[0].detail


def test_a_last_line_that_is_too_long_is_named() -> None:
    found, unread = read(b"one\n" + b"y" * 30, ReadLimits(line=10, block=7))
    assert found == [b"one", b""]
    assert [u.number for u in unread] == [2]


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz", "zstd"])
def test_several_archives_in_one_file_are_one_stream(kind: str) -> None:
    compress = COMPRESSIONS[kind]
    assert read(compress(b"a\nb") + compress(b"c\nd\n")) == ([b"a", b"bc", b"d"], [])


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz"])
def test_an_archive_that_breaks_off_gives_what_came_before_and_its_name(kind: str) -> None:
    data = b"".join(b"%d\n" % number for number in range(40_000))
    whole = COMPRESSIONS[kind](data)
    found, unread = read(whole[: len(whole) * 3 // 4], ReadLimits(block=1000))
    assert [u.reason for u in unread] == [Rejected.BAD_COMPRESSION]
    assert kind in unread[0].detail
    assert unread[0].number == len(found)


def test_an_archive_with_wrong_bytes_inside_is_named() -> None:
    whole = bytearray(gzip.compress(b"a\n" * 1000))
    whole[-6] ^= 0xFF
    _, unread = read(bytes(whole))
    assert [u.reason for u in unread] == [Rejected.BAD_COMPRESSION]


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz", "zstd"])
def test_an_archive_that_grows_beyond_reason_is_refused(kind: str) -> None:
    bomb = COMPRESSIONS[kind](b"\x00" * 5_000_000)
    found, unread = read(bomb, ReadLimits(free_expansion=100_000, expansion=10, block=10_000))
    assert found == [b""]
    assert [u.reason for u in unread] == [Rejected.BAD_COMPRESSION]
    assert "10 times" in unread[0].detail


@pytest.mark.parametrize("opening", [b"PK\x03\x04", b"\xff\xfea\x00"])
def test_a_foreign_format_is_named_with_what_would_do(opening: bytes) -> None:
    _, unread = read(opening + b"rest")
    assert "gzip, zstd" in unread[0].detail


def test_progress_counts_the_bytes_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl.gz"
    path.write_bytes(gzip.compress(b"abc\n" * 1000))
    found = list(read_lines(path))
    assert found[-1].consumed == size_of(path) == path.stat().st_size


def test_standard_input_has_no_size() -> None:
    assert size_of("-") is None
