"""What README promises is there: targets, commands and their options, addresses, and the event that one may send."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from monitor.cli.main import COMMANDS, cli
from monitor.core.model.catalogue import Catalogue
from monitor.decode.registry import decode, tools
from monitor.packs.catalogue.loader import load_catalogue
from tests.architecture.files import ROOT, text, tracked

README = text(Path("README.md")) or ""
PAGES = [
    path
    for path in tracked()
    if path.suffix == ".md" and (path.parts[0] == "docs" or path.name in ("README.md", "ARCHITECTURE.md"))
]
PATHS_OF_OURS = re.compile(r"`((?:monitor|tests|deploy|rules|scripts)/[\w./-]*\w)(?:/)?`")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def code(page: str) -> str:
    """All that stands in blocks of shell or between backticks."""
    return "\n".join([*blocks(page, "sh"), *re.findall(r"`([^`\n]+)`", page)])


def command_line(line: str) -> tuple[click.Command, list[str], list[str]]:
    """The command that a line calls, the names on the way to it, and the words that follow."""
    words = line.partition("#")[0].split()
    command: click.Command = cli
    names: list[str] = []
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0]):
        names.append(words.pop(0))
        found = command.get_command(context, names[-1])
        assert found is not None, f"there is no command nearmiss {' '.join(names)}"
        command = found
    return command, names, words


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_targets_that_a_page_names_can_be_made(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(Path("Makefile")) or "", re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code(text(page) or ""))) <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    for line in re.findall(r"(?:^|[\s/`|])nearmiss ((?:[a-z]+ ?)+[^`|\n]*)", code(text(page) or "")):
        command, names, words = command_line(line)
        assert not names or names[0] in COMMANDS
        options = {option for parameter in command.params for option in parameter.opts}
        if "--" in words:
            words = words[: words.index("--")]  # what stands behind it is another program's
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, f"nearmiss {line}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    for name in PATHS_OF_OURS.findall(text(page) or ""):
        assert (ROOT / name).exists(), f"{page} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_methods_that_a_page_names_are_there(page: Path) -> None:
    program = "\n".join(text(path) or "" for path in tracked() if path.parts[0] == "monitor" and path.suffix == ".py")
    for owner, method in re.findall(r"`([A-Z]\w+)\.([a-z_]\w*)(?:\(\))?`", text(page) or ""):
        if owner.isupper():
            assert re.search(rf"^{owner} = ", program, re.MULTILINE), f"{page} names {owner}"
            assert re.search(rf"^    {method}: ", program, re.MULTILINE), f"{page} names {owner}.{method}"
            continue
        assert f"class {owner}" in program, f"{page} names {owner}"
        assert re.search(rf"def {method}\b", program), f"{page} names {owner}.{method}"


def test_the_map_shows_every_part_and_every_module_of_the_core() -> None:
    architecture = text(Path("ARCHITECTURE.md")) or ""
    parts = {path.parts[1] for path in tracked() if path.parts[0] == "monitor" and len(path.parts) > 2}
    assert {part for part in parts if f"  {part}/" not in architecture} == set()
    core = {path.name for path in tracked() if path.parts[:2] == ("monitor", "core") and path.suffix == ".py"}
    assert {name for name in core - {"__init__.py"} if f"`{name}`" not in architecture} == set()


def test_both_commands_for_a_newcomer_are_on_the_first_screen() -> None:
    assert {"make demo", "make test"} <= set(code(README).splitlines())
    assert README.index("make demo") < 2000


def test_what_is_to_be_run_comes_after_what_makes_it() -> None:
    """In the order of the page: a command of ours by its path, behind the target that puts it there."""
    lines = "".join(blocks(README, "sh")).splitlines()
    ours = [place for place, line in enumerate(lines) if re.match(r"\S*\bnearmiss ", line)]
    assert all(lines[place].startswith(".venv/bin/nearmiss ") for place in ours)
    made = next(place for place, line in enumerate(lines) if line.split()[:2] == ["make", "setup"])
    assert made < min(ours)


def test_every_source_has_its_address_and_every_address_its_decoder() -> None:
    table = (text(Path("docs/reference/tools.md")) or "").partition("\n## ")[0]
    named = {name.partition("/")[0] for name in re.findall(r"`/ingest/([\w/-]+)`", table)}
    assert named == {tool.name for tool in tools()}


def test_the_event_that_one_may_send_is_read() -> None:
    body = next(block for block in blocks(README, "sh") if "curl" in block).partition("-d '")[2].partition("'")[0]
    outcome = decode("events", body.encode(), {"content-type": "application/json"})
    assert [event.id for event in outcome.events] == [json.loads(body)["id"]]
    assert outcome.refusals == ()


def test_the_catalogue_to_start_with_has_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(blocks(README, "yaml")[0], encoding="utf-8")
    catalogue, problems = load_catalogue(file)
    assert problems == ()
    assert catalogue != Catalogue()
