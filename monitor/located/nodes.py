"""YAML text → a tree in which every node knows its line and column; all that is wrong with the YAML is collected.

Knows nothing of rules. Scalars follow YAML 1.2: only `true` and `false` are booleans, so that `no` and `off` stay
words, and nothing becomes a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from monitor.located.problems import Place, Problems

LARGEST_FILE = 1_000_000
DEEPEST = 30
MOST_NODES = 50_000
"""Counted with every alias expanded, so that a small file cannot stand for a billion nodes."""
LARGEST_CATALOGUE = 16_000_000
MOST_CATALOGUE_NODES = 600_000
"""One file may hold the services of a large organisation: 20,000 of them have some 200,000 values."""

Value = str | int | float | bool | None
Plain = Value | list["Plain"] | dict[str, "Plain"]

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Value] = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMERIC = frozenset("+-.0123456789")
_LONGEST_WORD = max(map(len, _WORDS))
_NEXT_KEY = re.compile(rb"^[^\s#-]", re.MULTILINE)
"""Where a section of the document ends: the next line that is not indented, no comment and no item of a list."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Scalar:
    """A single value, and the text as it was written (`1.10` is a number as a value, and `1.10` as a text)."""

    __slots__ = ("place", "text", "value")
    depth, size = 1, 1

    def __init__(self, place: Place, text: str, value: Value) -> None:
        self.place, self.text, self.value = place, text, value


class Listing:
    """A sequence."""

    __slots__ = ("depth", "items", "place", "size")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.items: list[Node] = []
        self.depth = self.size = 0  # counted when it is closed


class Mapping:
    """Keys in the order of the text; a key that came twice was reported, and its first value is kept."""

    __slots__ = ("depth", "entries", "place", "size")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.entries: dict[str, tuple[Scalar, Node]] = {}
        self.depth = self.size = 0  # counted when it is closed

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry[1] if entry else None


Node = Scalar | Listing | Mapping


def read_located(path: Path, problems: Problems, without: str = "") -> Node | None:
    """The tree of a file's only document, or None when there is no usable one (then `problems` says why).

    `without` names a key of the document that need not be read; it is passed over where that is sure to be safe.
    """
    body = _read(path, problems)
    if body is None:
        return None
    if without and (rest := _passed_over(body, without)) is not None:
        found = Problems()
        node = parse_located(rest, str(path), found)
        if not found.errors:
            return node
    return parse_located(body, str(path), problems)


def _passed_over(body: bytes, key: str) -> bytes | None:
    """The text with the section of a key blanked out, every line in its place; None where there is not just one."""
    sections = list(re.finditer(rb"^%s:(?=\s)" % re.escape(key.encode()), body, re.MULTILINE))
    if len(sections) != 1:
        return None
    start = sections[0].start()
    following = _NEXT_KEY.search(body, sections[0].end())
    end = following.start() if following else len(body)
    return body[:start] + b"\n" * body.count(b"\n", start, end) + body[end:]


def read_documents(path: Path, problems: Problems) -> list[Node]:
    """The trees of a catalogue's file, which may hold several documents, empty ones left out."""
    body = _read(path, problems, LARGEST_CATALOGUE)
    return [] if body is None else _parse(body, str(path), problems, several=True)


def _read(path: Path, problems: Problems, largest: int = LARGEST_FILE) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        problems.error(Place(str(path)), message, "a readable file", "checking its path and rights")
        return None


def parse_located(body: bytes, name: str, problems: Problems) -> Node | None:
    """As `read_located`, for bytes at hand; `name` is the file that problems mention."""
    found = _parse(body, name, problems, several=False)
    return found[0] if found else None


def _parse(body: bytes, name: str, problems: Problems, *, several: bool) -> list[Node]:
    whole, largest = Place(name), LARGEST_CATALOGUE if several else LARGEST_FILE
    if len(body) > largest:
        problems.error(whole, f"larger than {largest} bytes", "one rule or one catalogue", "splitting the file")
        return []
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        place = Place(name, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        problems.error(place, f"byte 0x{body[error.start]:02x} is not UTF-8", "UTF-8 text", "saving the file as UTF-8")
        return []
    if control := _CONTROL.search(text):
        before_text = text[: control.start()]
        place = Place(name, before_text.count("\n") + 1, control.start() - (before_text.rfind("\n") + 1) + 1)
        problems.error(place, f"control character {control.group()!r}", "printable text", "removing it")
        return []
    try:
        return _Builder(name, problems, several=several).build(text)
    except yaml.YAMLError as error:
        problems.error(*_say_yaml_error(error, whole, text))
    except _Refused:
        pass  # reported where it was found
    return []


class _Refused(Exception):
    """The document goes beyond a bound; the problem has been added."""


def _say_yaml_error(error: yaml.YAMLError, whole: Place, text: str) -> tuple[Place, str, str, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = whole if mark is None else Place(whole.file, mark.line + 1, mark.column + 1)
    said = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    said = said or str(error).splitlines()[0]
    line = text.split("\n")[place.line - 1 : place.line]
    has_tab = bool(line) and line[0][place.column - 1 : place.column] == "\t"
    if has_tab and ("cannot start any token" in said or "tab character" in said):
        return place, "not YAML: a tab in the indentation", "spaces for indentation", "replacing the tab by spaces"
    if "cannot start any token" in said:
        return place, f"not YAML: {said}", "a letter, a digit or a quote", "quoting the text"
    if "mapping values are not allowed" in said:
        return place, f"not YAML: {said}", "a key and a value", "quoting a text that contains a colon and a space"
    began = getattr(error, "context_mark", None)
    if began is not None and "flow" in said:
        return (
            place,
            f"not YAML: {said}",
            "well-formed YAML",
            f"closing what opens at {began.line + 1}:{began.column + 1}",
        )
    return place, f"not YAML: {said}", "well-formed YAML", "checking indentation, quotes and brackets nearby"


class _Builder:
    """Builds the tree from parser events with a stack of its own: depth costs no recursion."""

    def __init__(self, name: str, problems: Problems, *, several: bool) -> None:
        self.name, self.problems, self.several = name, problems, several
        self.roots: list[Node] = []
        self.stack: list[Listing | Mapping] = []
        self.keys: list[Scalar | None] = []
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def build(self, text: str) -> list[Node]:
        loader = yaml.CSafeLoader(text)
        try:
            self._events(loader.get_event)
        finally:
            loader.dispose()
        roots = [root for root in self.roots if not (isinstance(root, Scalar) and root.value is None)]
        if not roots:
            self.problems.error(Place(self.name, 1, 1), "the file is empty", "one YAML mapping", "`key: value` lines")
        return roots

    def _events(self, get_event: Callable[[], yaml.Event | None]) -> None:
        """Runs for every value of every file of a pack: what is most frequent is asked for first."""
        name, documents = self.name, 0
        while (event := get_event()) is not None:
            mark = event.start_mark
            place = Place(name) if mark is None else Place(name, mark.line + 1, mark.column + 1)
            if isinstance(event, yaml.ScalarEvent):
                if event.tag is not None:
                    self._check_tag(event.tag, place)
                written = event.value
                scalar = Scalar(place, written, _resolve(written) if event.implicit[0] else written)
                self._place(scalar, event.anchor)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if event.tag is not None:
                    self._check_tag(event.tag, place)
                opened = Mapping(place) if isinstance(event, yaml.MappingStartEvent) else Listing(place)
                self._open(opened, event.anchor)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event.anchor or "", place)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self.anchors.clear()
                if documents > 1 and not self.several:
                    self._refuse(place, "a second document begins here", "one document a file", "a file for each")

    def _check_tag(self, tag: str, place: Place) -> None:
        if tag not in ("!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map"):
            self.problems.error(place, f"tag {tag} is not used here", "plain YAML", "removing the tag")

    def _refuse(self, place: Place, message: str, expected: str, hint: str) -> None:
        self.problems.error(place, message, expected, hint)
        raise _Refused

    def _count(self, place: Place, size: int, depth: int) -> None:
        self.nodes += size
        most = MOST_CATALOGUE_NODES if self.several else MOST_NODES
        if self.nodes > most:
            self._refuse(place, f"more than {most} values", "a smaller file", "fewer aliases, or several files")
        if depth > DEEPEST:
            self._refuse(place, f"nested deeper than {DEEPEST} levels", "a flatter structure", "fewer levels")

    def _alias(self, anchor: str, place: Place) -> None:
        node = self.anchors.get(anchor)
        if node is None or not node.size:
            # An anchor whose collection is still open refers to itself; it would never end.
            message = f"alias *{anchor} has no finished anchor before it"
            self._refuse(place, message, f"&{anchor} on an earlier value", "defining it above")
            return
        self._place(node, None)

    def _open(self, opened: Listing | Mapping, anchor: str | None) -> None:
        self._count(opened.place, 1, len(self.stack) + 1)
        if anchor:
            self.anchors[anchor] = opened
        self.stack.append(opened)
        self.keys.append(None)

    def _close(self) -> None:
        closed = self.stack.pop()
        self.keys.pop()
        size, depth = 1, 0
        for child in _children(closed):
            size += child.size
            if child.depth > depth:  # noqa: PLR1730 - runs for every value, and max() costs a call
                depth = child.depth
        closed.size, closed.depth = size, depth + 1
        self._attach(closed)

    def _place(self, node: Node, anchor: str | None) -> None:
        self._count(node.place, node.size, len(self.stack) + node.depth)
        if anchor:
            self.anchors[anchor] = node
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.roots.append(node)
            return
        parent = self.stack[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                self._refuse(node.place, "a key must be a single word", "key: value", "quoting it as a text")
                return
            self.keys[-1] = node
            return
        self.keys[-1] = None
        if key.text in parent.entries:
            first = parent.entries[key.text][0].place
            message = f"key {key.text!r} is given twice (first in line {first.line})"
            self.problems.error(key.place, message, "each key once", "removing one of them")
            return
        parent.entries[key.text] = (key, node)


def _children(node: Listing | Mapping) -> list[Node]:
    if isinstance(node, Listing):
        return node.items
    return [child for entry in node.entries.values() for child in entry]


def _resolve(text: str) -> Value:
    if text[:1] in _NUMERIC:
        if _INTEGER.match(text) and len(text) < 40:
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    if len(text) <= _LONGEST_WORD:
        lowered = text if text in _WORDS else text.lower()
        if lowered in _WORDS and text in (lowered, lowered.capitalize(), lowered.upper()):
            return _WORDS[lowered]
    return text


def plain(node: Node) -> Plain:
    """The tree without its places: lists, dictionaries and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in node.entries.items()}


def node_at(node: Node, *path: str) -> Node | None:
    """What stands at the end of a path."""
    found: Node | None = node
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def place_at(node: Node, *path: str) -> Place:
    """Where the deepest known part of a path stands."""
    place = node.place
    for key in path:
        inner = node.get(key) if isinstance(node, Mapping) else None
        if inner is None:
            break
        node, place = inner, inner.place
    return place
