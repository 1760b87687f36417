"""Files of mappings → tools of the registry with their examples, and every problem of every file at once.

The service, the commands and the tests all load through here. Names and aliases are unique over all files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Table
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from monitor.core.model.events import Kind
from monitor.decode.bodyforms import json_or_form
from monitor.decode.handshakes import echo_challenge
from monitor.decode.mapped import Mapped
from monitor.decode.outcome import Unreadable
from monitor.decode.registry import read_as
from monitor.decode.tool import Sample, Tool
from monitor.located.checks import Check
from monitor.located.files import find_files
from monitor.located.form import Form
from monitor.located.nodes import Mapping, Node, Scalar, read_located
from monitor.located.problems import Place, Problem, Problems
from monitor.packs.mappings.examples import MappingExample, MappingResult, read_examples, run_example
from monitor.packs.mappings.grammar import answered, read_answer, read_entries, read_name
from monitor.packs.mappings.keys import MAPPING_KEYS
from monitor.packs.mappings.signature import read_scheme


class LoadedMappings(msgspec.Struct, frozen=True):
    """What the files gave. Mappings with errors are left out; `places` says where each is defined."""

    tools: tuple[Tool, ...] = ()
    problems: tuple[Problem, ...] = ()
    examples: Table[str, tuple[MappingExample, ...]] = {}
    places: Table[str, Place] = {}
    files: int = 0
    content_hash: str = ""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_mappings(path: Path) -> LoadedMappings:
    """All mappings of a file or a directory tree. Never raises for content."""
    problems = Problems()
    files = find_files(path, problems, "mapping")
    tools: list[Tool] = []
    places: dict[str, Place] = {}
    examples: dict[str, tuple[MappingExample, ...]] = {}
    for file in files:
        node = read_located(file, problems)
        if node is None:
            continue
        read = read_mapping(node, problems)
        if read is None:
            continue
        tool, own = read
        place = _place_of(node)
        taken = next((name for name in (tool.name, *tool.aliases) if name in places), None)
        if taken is not None:
            message = f"{taken!r} is defined twice (first in {places[taken]})"
            problems.error(place, message, "a name of its own for each mapping", "renaming one of them")
            continue
        places |= dict.fromkeys((tool.name, *tool.aliases), place)
        examples[tool.name] = own
        tools.append(tool)
    return LoadedMappings(tuple(tools), tuple(problems), examples, places, len(files), _content_hash(files))


def _content_hash(files: list[Path]) -> str:
    """Over the files as they stand: what a mapping means is in its expressions, which are not compared."""
    found = hashlib.sha256()
    for file in files:
        with suppress(OSError):
            found.update(file.read_bytes())
    return found.hexdigest()[:16] if files else ""


def read_mapping(node: Node, problems: Problems) -> tuple[Tool, tuple[MappingExample, ...]] | None:
    """A tool of the registry with its examples; None where the file has errors."""
    before = problems.errors
    form = Form(node, problems, "a mapping", MAPPING_KEYS)
    if not isinstance(node, Mapping):
        return None
    named = form.get("mapping")
    if named is None:
        form.missing("mapping", "the name of the tool", "pingdom")
    name = read_name(form, "mapping", named, problems) if named is not None else None
    aliases = [read_name(form, "aliases", alias, problems) for alias in form.several("aliases")]
    title = form.text("title", "the tool as people write it", "Pingdom", default=name or "")
    tells = form.text("reports", "one sentence", "checks that go down", default=f"what {title} sends")
    setup = form.text(
        "setup", "what to do in the tool", "add a webhook", default=f"Send the bodies to `/ingest/{name}`."
    )
    limits = form.texts("limits", "what its payloads lack", "[No environment in the payload.]")
    scheme = read_scheme(form.get("signature"), problems)
    answer = read_answer(form, problems)
    entries = read_entries(form, name or "", problems)
    examples = read_examples(form.get("examples"), problems)
    if not examples and not form.has("examples"):
        message, expected = "no example", "an example for each kind of body, which `nearmiss mapping test` runs"
        problems.warning(
            Check.UNTRIED_MAPPING, node.place, message, expected, "`examples: [{name: …, body: {…}, expect: […]}]`"
        )
    if problems.errors > before or name is None or entries is None:
        return None
    mapped, kinds = entries
    tool = _tool(name, title, mapped, kinds)
    tool = msgspec.structs.replace(
        tool,
        tells=tells,
        setup=setup.strip(),
        limits=limits,
        aliases=tuple(alias for alias in aliases if alias),
        scheme=scheme,
        handshake=echo_challenge if answer is None else partial(_answer, *answer),
        sample=_sample(tool, examples),
    )
    return tool, examples


def _tool(name: str, title: str, mapped: Mapped, kinds: tuple[Kind, ...]) -> Tool:
    return Tool(
        name=name,
        title=title,
        tells="",
        kinds=kinds,
        sample=Sample("{}", ()),
        setup="",
        parse=json_or_form,
        split=mapped.split,
        read=mapped.read,
        is_mapping=True,
    )


def _sample(tool: Tool, examples: tuple[MappingExample, ...]) -> Sample:
    """The first example that gives events, as the page of the tool shows it."""
    for example in examples:
        if not isinstance(example.expect, str):
            body = msgspec.json.format(example.body, indent=2).decode() if _is_json(example.body) else ""
            kinds = tuple(each["kind"] for each in example.expect if "kind" in each)
            return Sample(body or example.body.decode(), kinds, example.headers)
    return tool.sample


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return True


def _answer(when: Any, finds: Any, body: bytes, headers: Table[str, str]) -> dict[str, str] | None:
    try:
        return answered(when, finds, json_or_form(body, headers))
    except Unreadable:
        return None


def run_examples(loaded: LoadedMappings) -> list[MappingResult]:
    """Every example of every mapping, in the order of the files."""
    return [
        run_example(tool.name, example, partial(read_as, tool, f"{tool.name}/example"))
        for tool in loaded.tools
        for example in loaded.examples[tool.name]
    ]


def _place_of(node: Node) -> Place:
    found = node.get("mapping") if isinstance(node, Mapping) else None
    return found.place if isinstance(found, Scalar) else node.place
