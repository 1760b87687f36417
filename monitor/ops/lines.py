"""Reads lines out of files, compressed or not, in blocks of bounded size.

Knows bytes and line numbers only: what a line means is for its reader. What cannot be read as a line (too long, a
broken or absurdly expanding archive) is named with its place and never stops the lines around it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import msgspec
import zstandard

from monitor.core.model.reasons import Rejected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STDIN = "-"
KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE
_MOST_MEMORY = 128 * MEGABYTE
"""What a decompressor may ask for as its window; archives made with larger ones are refused by name."""


_MOST_BUFFERED = 8 * MEGABYTE
_SMALLEST_BLOCK = 16 * KILOBYTE


class ReadLimits(msgspec.Struct, frozen=True):
    """Bounds in bytes. `expansion` is how many times its size an archive may grow once it is past `free_expansion`."""

    line: int = MEGABYTE
    block: int = 512 * KILOBYTE
    expansion: int = 1000
    free_expansion: int = 64 * MEGABYTE
    kept: int = 4 * KILOBYTE


def limits_for(files: int) -> ReadLimits:
    """Blocks small enough that so many files, read side by side, stay within bounds together."""
    usual = ReadLimits()
    return ReadLimits(block=max(_SMALLEST_BLOCK, min(usual.block, _MOST_BUFFERED // files)))


class Unread(msgspec.Struct, frozen=True):
    """A line that could not be had: its number (from 1), why, and the first bytes of it (at most `Limits.kept`)."""

    number: int
    reason: Rejected
    detail: str
    start: bytes = b""


class Block(msgspec.Struct, frozen=True):
    """Some lines in order, without their line ends. Line `lines[i]` has the number `first + i`.

    Empty lines, and the places of `unread` ones, are kept as `b""`, so that numbers stay true. `consumed` counts the
    bytes of the file (as it lies on the disk) that were read so far.
    """

    first: int
    lines: list[bytes]
    unread: tuple[Unread, ...]
    consumed: int


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted(io.RawIOBase):
    """Counts what is read from a file, which tells the progress through a compressed one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.consumed = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        taken = self._file.read(len(view))
        view[: len(taken)] = taken
        self.consumed += len(taken)
        return len(taken)


class _Stepped:
    """Reads bz2 and xz, also several archives one after another, never more at once than is asked for."""

    def __init__(self, file: _Source, kind: str) -> None:
        self._file = file
        self._kind = kind
        self._decompressor = self._fresh()
        self._started = False

    def _fresh(self) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
        return bz2.BZ2Decompressor() if self._kind == "bz2" else lzma.LZMADecompressor(memlimit=_MOST_MEMORY)

    def read(self, size: int, /) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data or self._file.read(64 * KILOBYTE)
                if not rest.strip(b"\x00"):
                    return b""
                self._decompressor, fed = self._fresh(), rest
            elif self._decompressor.needs_input:
                fed = self._file.read(64 * KILOBYTE)
                if not fed:
                    raise EOFError("the archive ends before its end mark")
            else:
                fed = b""
            if found := self._decompressor.decompress(fed, size):
                return found


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError, MemoryError)


def size_of(path: str | Path) -> int | None:
    """The size on disk in bytes, None for standard input and for what has no size (a pipe)."""
    if str(path) == STDIN:
        return None
    found = Path(path).stat()
    return found.st_size or None


def read_lines(path: str | Path, limits: ReadLimits = ReadLimits()) -> Iterator[Block]:  # noqa: B008 - frozen value
    """The lines of a file (`-`: standard input), plain or gzip, zstd, bz2, xz: told by content, not by name.

    Raises OSError when the file cannot be opened. An archive that breaks off gives the lines before the break, then
    an `Unread` naming it.
    """
    with _opened(path) as file:
        yield from blocks(file, limits)


def blocks(file: BinaryIO, limits: ReadLimits = ReadLimits()) -> Iterator[Block]:  # noqa: B008 - frozen value
    """As `read_lines`, for an open binary file."""
    counted = _Counted(file)
    buffered = io.BufferedReader(counted, 64 * KILOBYTE)
    opening = buffered.peek(8)[:8]
    if foreign := next((name for magic, name in _FOREIGN if opening.startswith(magic)), None):
        detail = f"{foreign}; expected lines of UTF-8 text, plain or compressed with gzip, zstd, bz2 or xz"
        yield Block(1, [b""], (Unread(1, Rejected.BAD_COMPRESSION, detail, opening),), counted.consumed)
        return
    kind = next((name for magic, name in _MAGIC if opening.startswith(magic)), "plain")
    source = _decompressed(buffered, kind)
    yield from _Cutter(limits).cut(_pieces(source, counted, kind, limits), counted)


def _decompressed(file: BinaryIO, kind: str) -> _Source:
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file, mode="rb")
    if kind == "zstd":
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_MEMORY)
        return decompressor.stream_reader(file, read_across_frames=True)
    return file if kind == "plain" else _Stepped(file, kind)


class _Broken(Exception):
    """The archive cannot be read further."""


def _pieces(source: _Source, counted: _Counted, kind: str, limits: ReadLimits) -> Iterator[bytes]:
    produced = 0
    while True:
        try:
            piece = source.read(limits.block)
        except _BROKEN as error:
            if kind == "plain":
                raise
            raise _Broken(f"{kind}: {str(error) or type(error).__name__}") from error
        if not piece:
            return
        produced += len(piece)
        if kind != "plain" and produced > max(limits.free_expansion, limits.expansion * counted.consumed):
            raise _Broken(f"{kind}: grows to more than {limits.expansion} times its size; unpack it by hand if trusted")
        yield piece


class _Cutter:
    """Cuts a stream of bytes into lines; a line beyond the limit is skipped over without being kept."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._number = 1
        self._rest = b""
        self._skipped = 0
        self._unread: list[Unread] = []

    def cut(self, pieces: Iterator[bytes], counted: _Counted) -> Iterator[Block]:
        try:
            for piece in pieces:
                if lines := self._lines(piece):
                    yield self._block(lines, counted.consumed)
        except _Broken as broken:
            self._name(self._number, Rejected.BAD_COMPRESSION, str(broken), self._rest)
            self._rest, self._skipped = b"", 0
            yield self._block([b""], counted.consumed)
            return
        if self._skipped:
            self._too_long(self._number, self._rest, self._skipped)
            yield self._block([b""], counted.consumed)
        elif self._rest:
            yield self._block([self._rest], counted.consumed)

    def _lines(self, piece: bytes) -> list[bytes]:
        if self._skipped:
            end = piece.find(b"\n")
            if end < 0:
                self._skipped += len(piece)
                return []
            self._too_long(self._number, self._rest, self._skipped + end)
            lines, self._skipped, self._rest = [b""], 0, b""
            piece = piece[end + 1 :]
        else:
            lines = []
        found = (self._rest + piece).split(b"\n")
        self._rest = found.pop()
        lines += found
        if self._number == 1 and lines and lines[0].startswith(_BYTE_ORDER_MARK):
            lines[0] = lines[0][len(_BYTE_ORDER_MARK) :]
        if lines and len(max(lines, key=len)) > self._limits.line:
            self._drop_long(lines)
        if len(self._rest) > self._limits.line:
            self._skipped, self._rest = len(self._rest), self._rest[: self._limits.kept]
        return lines

    def _drop_long(self, lines: list[bytes]) -> None:
        for place, line in enumerate(lines):
            if len(line) > self._limits.line:
                self._too_long(self._number + place, line, len(line))
                lines[place] = b""

    def _too_long(self, number: int, line: bytes, length: int) -> None:
        detail = f"the line has {length} bytes; at most {self._limits.line} are read"
        self._name(number, Rejected.TOO_LARGE, detail, line)

    def _name(self, number: int, reason: Rejected, detail: str, start: bytes) -> None:
        self._unread.append(Unread(number, reason, detail, start[: self._limits.kept]))

    def _block(self, lines: list[bytes], consumed: int) -> Block:
        block = Block(self._number, lines, tuple(self._unread), consumed)
        self._number += len(lines)
        self._unread = []
        return block


@contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    with Path(path).open("rb") as file:
        yield file
