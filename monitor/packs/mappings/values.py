"""How a mapping says where a value comes from: an expression, a text with expressions in it, or the first of several.

A located node → a callable over documents. Knows nothing of events.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from typing import Any

from monitor.decode.lenient import as_text
from monitor.decode.mapped import Budget, Find
from monitor.decode.reading import text
from monitor.located.form import Form, name_of
from monitor.located.nodes import Listing, Mapping, Node, Scalar
from monitor.located.problems import Place, Problems
from monitor.packs.language.regex import BadPattern, make_finder
from monitor.packs.mappings.expressions import LONGEST_EXPRESSION, BadExpression, compile_expression, is_conditional

VALUE_KEYS = ("path", "find", "words", "otherwise", "text")
VALUE_HELP = "a JMESPath expression, a list of them, or a mapping with `path` or `text`"
MOST_WORDS = 200
SEARCHED = 4_096
"""Characters of a text in which a pattern looks."""

_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def read_value(node: Node, problems: Problems, what: str) -> Find | None:
    """What finds the value; None where it cannot be read (then `problems` says why)."""
    if isinstance(node, Scalar):
        return _bare(read_expression(node, problems, what))
    if isinstance(node, Listing):
        found = [read_value(item, problems, what) for item in node.items]
        if not found:
            problems.error(node.place, f"{what} is an empty list", VALUE_HELP, "one item at least")
        return _first([find for find in found if find])
    return _read_mapping(node, problems, what)


def read_expression(node: Node, problems: Problems, what: str) -> Find | None:
    """What a JMESPath expression finds, as it stands in the body."""
    if not isinstance(node, Scalar) or node.value is None or not node.text.strip():
        problems.error(node.place, f"{what} is {name_of(node)}", "a JMESPath expression", f"`{what}: name.of.field`")
        return None
    return compiled(node.text, node.place, problems, what)


def compiled(written: str, place: Place, problems: Problems, what: str) -> Find | None:
    try:
        find = compile_expression(written)
        return _where(find) if is_conditional(written) else find
    except BadExpression as error:
        where = f" at character {error.at}" if error.at else ""
        hint = f"a simpler one of at most {LONGEST_EXPRESSION} characters"
        if error.at:
            hint = """a name with other characters than letters, digits and _ in double quotes: '"service.name"'"""
        problems.error(place, f"{what}: {written!r} is no JMESPath: {error}{where}", "a JMESPath expression", hint)
        return None


def _read_mapping(node: Mapping, problems: Problems, what: str) -> Find | None:
    form = Form(node, problems, what, VALUE_KEYS)
    source = form.get("path")
    if (source is None) == (form.get("text") is None):
        if not form.has("path") and not node.entries.keys() & {"path", "text"}:
            problems.error(node.place, f"{what} names no place", "`path` or `text`", "`path: name.of.field`")
        elif source is not None:
            problems.error(form.place_of("text"), f"{what} has `path` and `text`", "one of them", "removing `path`")
        return None
    if source is None:
        written = form.get("text")
        base = read_template(written, problems, what) if written is not None else None
    else:
        base = read_value(source, problems, what)
    if form.has("find"):
        base = _searched(base, form, problems)
    if form.has("words"):
        base = _translated(base, _words(form, problems), form.text("otherwise", "a text", "unknown"))
    elif form.has("otherwise"):
        base = _first([find for find in (base, _constant(form.text("otherwise", "a text", "unknown"))) if find])
    return base


def read_template(node: Node, problems: Problems, what: str) -> Find | None:
    """A text in which `{expression}` stands for what it finds; it says nothing where one of them finds nothing."""
    if not isinstance(node, Scalar) or node.value is None:
        problems.error(node.place, f"{what} is {name_of(node)}", "a text", '`text: "{check} is down"`')
        return None
    parts: list[str | Find] = []
    end = 0
    for match in _HOLE.finditer(node.text):
        parts.append(node.text[end : match.start()])
        end = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(match[0][0])
        elif match[1] is None:
            problems.error(node.place, f"{what}: a single {match[0]}", "`{expression}`", "doubling it: `{{` or `}}`")
            return None
        else:
            found = compiled(match[1].strip(), node.place, problems, what)
            if found is None:
                return None
            parts.append(_bare(found) or found)
    parts.append(node.text[end:])
    return _filled(tuple(part for part in parts if part))


def _where(find: Find) -> Find:
    """`condition && value`: where the condition fails there is no value, and not the text `false`."""

    def found(document: Any, budget: Budget) -> Any:
        said = find(document, budget)
        return None if said is False else said

    return found


def _filled(parts: tuple[str | Find, ...]) -> Find:
    def find(document: Any, budget: Budget) -> Any:
        said = []
        for part in parts:
            found = part if isinstance(part, str) else text(part(document, budget))
            if found is None:
                return None
            said.append(found)
        return "".join(said)

    return find


def _constant(said: str) -> Find:
    return lambda _document, _budget: said


def _bare(find: Find | None) -> Find | None:
    """A scalar that says something, or the only one of a list; numbers stay numbers, which times need."""
    if find is None:
        return None

    def bare(document: Any, budget: Budget) -> Any:
        found = find(document, budget)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, int | float):
            return found
        return text(found)

    return bare


def _first(finds: list[Find]) -> Find | None:
    """The first of several that says something."""
    if len(finds) < 2:
        return finds[0] if finds else None
    several = tuple(finds)

    def first(document: Any, budget: Budget) -> Any:
        return next((said for find in several if (said := find(document, budget)) is not None), None)

    return first


def _searched(base: Find | None, form: Form, problems: Problems) -> Find | None:
    written = form.text("find", "a pattern (RE2) with one group, or none", "'id=([0-9]+)'")
    if not written:
        return None
    try:
        search = make_finder(written)
    except BadPattern as error:
        message = f"find: {written!r} is no pattern: {error}"
        problems.error(form.place_of("find"), message, "a regular expression as RE2 has them", "'id=([0-9]+)'")
        return None
    if base is None:
        return None

    def searched(document: Any, budget: Budget) -> Any:
        said = text(base(document, budget))
        return None if said is None else text(search(said[:SEARCHED]))

    return searched


def _words(form: Form, problems: Problems) -> dict[str, str]:
    node = form.get("words")
    if not isinstance(node, Mapping) or not 0 < len(node.entries) <= MOST_WORDS:
        said = name_of(node) if node is not None and not isinstance(node, Mapping) else "of another size"
        expected = f"a table of 1 to {MOST_WORDS} words of the tool with what they mean here"
        problems.error(form.place_of("words"), f"words is {said}", expected, "`words: {P1: critical}`")
        return {}
    table: dict[str, str] = {}
    for word, (_, meaning) in node.entries.items():
        if not isinstance(meaning, Scalar) or meaning.value is None:
            problems.error(meaning.place, f"the meaning of {word!r} is {name_of(meaning)}", "a word", f"`{word}: high`")
            continue
        table[word.strip().lower()] = meaning.text
    return table


def _translated(base: Find | None, table: Table[str, str], otherwise: str) -> Find | None:
    """Words in any case; a word that the table does not have says `otherwise`, or nothing."""
    if base is None or not table:
        return None
    known: Callable[[str], str | None] = table.get

    def translated(document: Any, budget: Budget) -> Any:
        found = base(document, budget)
        word = None if found is None else as_text(found).strip().lower()
        meaning = known(word) if word is not None else None
        return meaning if meaning is not None else (otherwise or None)

    return translated
