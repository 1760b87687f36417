"""YAML with places: what is read, and how everything that is wrong with a text is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.located import nodes as located
from monitor.located.nodes import Mapping, Plain, Scalar, parse_located, plain, read_located
from monitor.located.problems import Problems


def parsed(body: bytes | str) -> tuple[Plain, list[str]]:
    problems = Problems()
    node = parse_located(body.encode() if isinstance(body, str) else body, "a.yaml", problems)
    return (None if node is None else plain(node)), [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("1.10", 1.1),
        ("1e5", "1e5"),
        ("2020-01-02", "2020-01-02"),
        ("1:30", "1:30"),
        ("~", None),
        ("'true'", "true"),
        ('"7"', "7"),
        ("066b65e", "066b65e"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: Plain) -> None:
    assert parsed(f"a: {text}") == ({"a": value}, [])


def test_the_text_is_kept_beside_the_value() -> None:
    node = parse_located(b"version: 1.10", "a.yaml", Problems())
    assert isinstance(node, Mapping)
    version = node.get("version")
    assert isinstance(version, Scalar)
    assert (version.text, version.value) == ("1.10", 1.1)


def test_every_node_knows_its_place() -> None:
    node = parse_located("# ä comment\na:\n  - b: 1\n    c: [x,  y]\n".encode(), "a.yaml", Problems())
    assert isinstance(node, Mapping)
    inner = node.get("a")
    assert isinstance(inner, located.Listing)
    assert isinstance(inner.items[0], Mapping)
    listing = inner.items[0].get("c")
    assert isinstance(listing, located.Listing)
    assert str(listing.items[1].place) == "a.yaml:4:13"


def test_keys_that_come_twice_are_all_reported_and_the_first_value_stays() -> None:
    value, problems = parsed("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert value == {"a": 1, "b": {"c": 1}}
    rest = "expected each key once; try removing one of them"
    assert problems == [
        f"a.yaml:2:11: error: key 'c' is given twice (first in line 2); {rest}",
        f"a.yaml:3:1: error: key 'a' is given twice (first in line 1); {rest}",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"a:\n\t- b\n", "a.yaml:2:1: error: not YAML: a tab in the indentation"),
        (b"a: 1\n\tb: 2\n", "a.yaml:2:1: error: not YAML: a tab in the indentation"),
        (b"a: b: c\n", "a.yaml:1:5: error: not YAML: mapping values are not allowed"),
        (b"a: [1\nb: 2\n", "a.yaml:2:2: error: not YAML"),
        (b"ok: 1\nname: caf\xe9\n", "a.yaml:2:10: error: byte 0xe9 is not UTF-8"),
        (b"ok: 1\nb: x\x00\n", "a.yaml:2:5: error: control character '\\x00'"),
        (b"", "a.yaml:1:1: error: the file is empty"),
        (b"# nothing\n", "a.yaml:1:1: error: the file is empty"),
        (b"a: 1\n---\nb: 2\n", "a.yaml:2:1: error: a second document begins here"),
        (b"a: &x [*x]\n", "a.yaml:1:8: error: alias *x has no finished anchor"),
        (b"a: *nowhere\n", "a.yaml:1:4: error: alias *nowhere has no finished anchor"),
        (b"? [a, b]\n: 1\n", "a.yaml:1:3: error: a key must be a single word"),
        (b"a: !!python/object:x.Y {}\n", "a.yaml:1:4: error: tag tag:yaml.org,2002:python/object:x.Y"),
        (b"a: " + b"[" * 40 + b"]" * 40, "a.yaml:1:33: error: nested deeper than 30 levels"),
        (b"\xff\xfea\x00", "a.yaml:1:1: error: byte 0xff is not UTF-8"),
    ],
)
def test_what_is_not_usable_is_told_with_its_place(body: bytes, told: str) -> None:
    _, problems = parsed(body)
    assert problems
    assert problems[0].startswith(told)
    assert "; expected " in problems[0]


def test_what_is_not_closed_is_told_with_its_beginning() -> None:
    _, problems = parsed(b"a: {b: 1\nc: 2\n")
    assert problems[0].endswith("try closing what opens at 1:4")


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    value, problems = parsed("\n".join(lines))
    assert value is None
    assert "more than 50000 values" in problems[0]


def test_nesting_by_aliases_counts_as_nesting() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    value, problems = parsed("\n".join(lines))
    assert value is None
    assert "nested deeper than 30 levels" in problems[0]


def test_aliases_are_values() -> None:
    assert parsed("a: &x {b: 1}\nc: *x\n") == ({"a": {"b": 1}, "c": {"b": 1}}, [])


def test_a_byte_order_mark_is_no_content() -> None:
    assert parsed(b"\xef\xbb\xbfa: 1") == ({"a": 1}, [])


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problems = Problems()
    assert read_located(tmp_path / "none.yaml", problems) is None
    (problem,) = problems
    assert str(problem).startswith(f"{tmp_path / 'none.yaml'}:1:1: error: cannot be read")
    assert problem.hint


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: " + b"x" * located.LARGEST_FILE)
    problems = Problems()
    assert read_located(path, problems) is None
    assert str(next(iter(problems))).startswith(f"{path}:1:1: error: larger than 1000000 bytes; expected ")
