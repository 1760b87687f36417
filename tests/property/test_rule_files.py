"""A corpus of spoilt rule files: every shipped rule, changed in every way that hands and editors change files.

Whatever comes of it, the loader tells problems: each with file, line, column, what was expected, what to try.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.located.files import find_files
from monitor.located.nodes import LARGEST_FILE
from monitor.located.problems import Problems
from monitor.packs.language.keys import BETWEEN, COUNTS, EXAMPLE, IMPACT, INTERVENTION, RELATIONS, RULE, STEP, names
from monitor.packs.language.regex import make_regex
from monitor.packs.language.schema import known_fields
from monitor.packs.rules.shipped import shipped_rules
from tests.unit.packs.written import load

CORPUS = [path.read_text(encoding="utf-8") for path in find_files(shipped_rules(), Problems())]
WORDS = sorted({*names(RULE, STEP, INTERVENTION, RELATIONS, BETWEEN, COUNTS, IMPACT, EXAMPLE), *known_fields()})
VALUES = [
    *("", "~", "{}", "[]", "[[]]", "- x", "-1", "0", "1e999", ".nan", "0x1f", "99999999999d", "-5m", "2026-02-30"),
    *("yes", "true", "'", '"', "&a [*a]", "*gone", "!!python/object:os.system x", "!tag y", "? ", "|", ">-", "%", "@"),
    *("\t", "\x00", "\x85", "\u2028", "\ufeff", "é", "😀", "{a: {b: {c: {d: e}}}}", "a: b: c", "---", "...", "# x"),
    *("(((((", "(a+)+$", "(?=a)", "[", "x" * 2_000, "[" * 60, "{" * 60 + "}" * 60, "alert.fired", "30m", "service"),
]


def told(body: bytes) -> None:
    """Either a rule that can be run, or errors that teach."""
    rule, problems = load(body)
    lines = body.count(b"\n") + body.count(b"\r") + 2
    for problem in problems:
        assert problem.file == "fuzz.yaml"
        assert problem.message
        assert problem.expected, problem
        assert problem.hint, problem
        assert problem.line >= 1, problem
        assert problem.column >= 1, problem
        assert problem.line <= lines + 3 * body.count(b"\xc2") + 3 * body.count(b"\xe2"), problem
        assert str(problem).isprintable()
    if rule is None:
        assert any(problem.is_error for problem in problems)
    else:
        Matcher([rule], Catalogue(), LastValues(), make_regex)


def _lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    place, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    what = chance.randrange(6)
    if what == 0:
        del lines[place]
    elif what == 1:
        lines.insert(other, lines[place])
    elif what == 2:
        lines[place], lines[other] = lines[other], lines[place]
    elif what == 3:
        lines[place] = " " * chance.randrange(9) + lines[place].lstrip()
    elif what == 4:
        lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
    else:
        lines = lines[:place]
    return "\n".join(lines)


def _values(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"(?<=: )[^\n,}\]]+", text))
    if not found:
        return text
    at = chance.choice(found)
    return text[: at.start()] + chance.choice(VALUES) + text[at.end() :]


def _keys(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"[\w.-]+(?=:)", text))
    if not found:
        return text
    at = chance.choice(found)
    key: str = at.group()
    new = str(chance.choice([chance.choice(WORDS), key[:-1], key + "s", key.upper(), key.replace("_", "-"), ""]))
    return text[: at.start()] + new + text[at.end() :]


def _characters(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    put = chance.choice(["", *VALUES, *"{}[]:,&*!|>%@`'\"#-?\n\t "])
    return f"{text[:place]}{put}{text[place + chance.randrange(4) :]}"


def _bytes(text: str, chance: random.Random) -> str:
    body = bytearray(text.encode())
    for _ in range(chance.randrange(1, 4)):
        if body:
            body[chance.randrange(len(body))] = chance.randrange(256)
    return body.decode("latin-1")


def _pieces(text: str, chance: random.Random) -> str:
    """A piece of another rule in the middle of this one."""
    other = chance.choice(CORPUS).split("\n")
    start = chance.randrange(len(other))
    lines = text.split("\n")
    lines[(place := chance.randrange(len(lines))) : place] = other[start : start + chance.randrange(1, 12)]
    return "\n".join(lines)


CHANGES: list[Callable[[str, random.Random], str]] = [_lines, _values, _keys, _characters, _bytes, _pieces]


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_change_of_any_rule_is_told(seed: int, changes: int) -> None:
    chance = random.Random(seed)
    text = chance.choice(CORPUS)
    text = text[: text.index("examples:") + chance.randrange(2_000)] if chance.random() < 0.8 else text
    for _ in range(changes):
        text = chance.choice(CHANGES)(text, chance)
    told(text.encode("latin-1") if chance.random() < 0.1 and text.isascii() else text.encode())


@settings(max_examples=60)
@given(st.sampled_from(CORPUS), st.sampled_from(WORDS), st.sampled_from(VALUES), st.integers(0, 2**32))
@example(CORPUS[0], "within", "1e999", 0)
def test_every_key_with_every_value(text: str, key: str, value: str, seed: int) -> None:
    found = list(re.finditer(rf"(?<![\w.]){re.escape(key)}: [^\n,}}\]]+", text[: text.index("examples:")]))
    if not found:
        told(text.replace("\nhazard:", f"\n{key}: {value}\nhazard:", 1).encode())
        return
    at = random.Random(seed).choice(found)
    told((text[: at.start()] + f"{key}: {value}" + text[at.end() :]).encode())


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n" * 5,
        b"\xff\xfe",
        LAUGHS.encode(),
        b"a: &a [*a]",
        b"[" * 100_000,
        b"{a: " * 5_000,
        b"x" * (LARGEST_FILE + 1),
        b"- " * 50_000,
        b"? " * 20_000,
        ("where: " + "{not: " * 200 + "{a: b}" + "}" * 200).encode(),
        b"rule: a\n---\nrule: b\n",
        ("ask: " + "[" + ", ".join(["x"] * 60_000) + "]").encode(),
        b"%YAML 9.9\n---\nrule: x\n",
        b"rule: &x x\ntitle: *x\nfamily: *x\nhazard: &h {kind: *x, where: *h}\n",
    ],
)
def test_what_means_harm_is_told_too(body: bytes) -> None:
    told(body)
