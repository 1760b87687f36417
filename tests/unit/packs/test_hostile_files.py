"""Files of YAML that nobody should write: each reader says what is wrong in bounded lines, and never raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.packs.catalogue.loader import load_catalogues
from monitor.packs.mappings.loader import load_mappings
from monitor.packs.rules.loader import load_rules
from monitor.settings import BadSettings, load_settings

LONGEST_LINE = 1_000


def bomb() -> str:
    lines = ["a: &a [x, x, x]"]
    for above, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{above}'] * 9)}]")
    return "\n".join(lines)


def merges() -> str:
    lines = ["x0: &x0 {a: 1}"]
    lines += [f"x{n}: &x{n}\n  <<: [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 8)]
    return "\n".join(lines)


FILES: dict[str, str | bytes] = {
    "a bomb of aliases": bomb(),
    "an alias of itself": "services: &s\n  a: *s\n",
    "merge keys": "x: &x {a: 1}\nservices:\n  <<: *x\n",
    "a bomb of merge keys": merges(),
    "brackets": "services: " + "[" * 20_000,
    "a staircase": "\n".join(" " * n + "a:" for n in range(400)),
    "braces": "{a: " * 2_000,
    "a mark of the byte order": "\ufeffservices: {a: {}}\n",
    "such a mark within": "services:\n  \ufeffa: {}\n",
    "lines of another system": "services:\r\n  a: {}\r\n",
    "lines of an old system": "services:\r  a: {}\r",
    "tabs": "services:\n\ta: {}\n",
    "a separator of lines": "services:\u2028  a: {}\u2029\n",
    "a next line": "services:\x85  a: {}\n",
    "a NUL": "services:\n  a\x00b: {}\n",
    "an escaped NUL": 'services:\n  "\\u0000": {}\n',
    "half a character": 'services:\n  "\\ud800": {}\n',
    "a huge number": "services:\n  a: {tier: " + "9" * 5_000 + "}\n",
    "a huge key": "services:\n  " + "a" * 100_000 + ": {}\n",
    "a huge text": "services: {a: {owner: '" + "x" * 100_000 + "'}}",
    "minutes of sixty": "services:\n  a: {tier: 190:20:30}\n",
    "infinity": "services:\n  a: {tier: .inf}\nversion: .nan\n",
    "beyond all numbers": "services:\n  a: {depends_on: 1e999}\n",
    "names of a prototype": "services:\n  __proto__: {user_facing: true}\n  constructor: {}\n",
    "a key twice": "services:\n  a: {}\n  a: {}\n",
    "two documents": "services: {}\n---\nservices: {}\n",
    "an object of a language": "services: !!python/object/apply:os.system ['id']\n",
    "bytes": "services: !!binary aGVsbG8=\n",
    "a set": "services: !!set {a, b}\n",
    "a date": "services:\n  2001-01-01: {}\n",
    "no date": "services:\n  a: {owner: 9999-99-99}\n",
    "keys that are none": "services:\n  1: {}\n  true: {}\n  null: {}\n  ? [a]\n  : {}\n",
    "nothing": "",
    "a word": "hello",
    "an alias of nothing": "*a\n",
    "ampersands": "&" * 5_000,
    "questions": "? " * 5_000,
    "dashes": "- " * 5_000,
    "a version of YAML": "%YAML 9.9\n---\nservices: {}\n",
    "another encoding": b"services: {a: {owner: \xff\xe9}}\n",
    "wide characters": "services: {a: {}}".encode("utf-16"),
}


def said_of_settings(file: Path) -> list[str]:
    try:
        load_settings({"config": str(file)}, {})
    except BadSettings as error:
        return list(error.problems)
    return []


READERS: dict[str, Callable[[Path], list[str]]] = {
    "catalogue": lambda file: [str(each) for each in load_catalogues([file]).problems],
    "rules": lambda file: [str(each) for each in load_rules(file.parent).problems],
    "mappings": lambda file: [str(each) for each in load_mappings(file.parent).problems],
    "settings": said_of_settings,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", FILES)
def test_whatever_a_file_holds_it_is_read_or_said_to_be_wrong(name: str, reader: str, tmp_path: Path) -> None:
    written = FILES[name]
    file = tmp_path / "file.yaml"
    file.write_bytes(written if isinstance(written, bytes) else written.encode())
    said = READERS[reader](file)
    assert max(map(len, said), default=0) <= LONGEST_LINE
    assert len("\n".join(said)) < 100 * LONGEST_LINE
