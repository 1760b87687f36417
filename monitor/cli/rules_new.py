"""`nearmiss rules new`: writes a working rule to begin with, and says what to do next. Never overwrites anything."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.engine_options import no_rule, printable
from monitor.cli.main import FAILED
from monitor.located.files import SUFFIXES
from monitor.packs.examples.runner import run_examples
from monitor.packs.language.grammar import NAME
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import Loaded, load_rules
from monitor.packs.rules.scaffold import FAMILIES, as_copy, from_template
from monitor.packs.rules.shipped import shipped_rules

_DEFAULT_FAMILY = "oops"


@click.command("new", short_help="Create a rule from a template.")
@click.argument("name")
@click.option("--family", type=click.Choice(FAMILIES), help=f"What kind of story it is.  [default: {_DEFAULT_FAMILY}]")
@click.option("--pattern", metavar="P", help="A known pattern, such as P09.")
@click.option("--like", metavar="RULE", help="Copy this rule (from DIR, or a shipped one).")
@click.option("--dir", "directory", type=click.Path(file_okay=False, path_type=Path), default="rules",
              show_default=True, metavar="DIR", help="Where the rules are.")  # fmt: skip
def new(name: str, family: str | None, pattern: str | None, like: str | None, directory: Path) -> None:
    """Write DIR/FAMILY/NAME.yaml: a complete rule in shadow mode, with passing examples.

    Prints the path. Exits 1 if the file or a rule of that name exists; nothing is overwritten.
    """
    if not NAME.match(name):
        raise click.BadParameter(
            f"{name!r} cannot be a name; expected lower-case words with hyphens, such as rollback-before-burn",
            param_hint="NAME",
        )
    known = load_rules(directory) if _holds_rules(directory) else None
    if known is not None and name in known.places:
        _stop(f"there is a rule {name!r} already, in {known.places[name]}; choose another name")
    try:
        if like is None:
            chosen = family or _DEFAULT_FAMILY
            text = from_template(name, chosen, pattern)
        else:
            source, chosen = _original(like, family, known)
            text = as_copy(source, like, name, family, pattern)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--pattern") from None
    file = directory / chosen / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        _stop(f"{file} exists; nothing was written")
    click.echo(str(file))
    _say_next(file, directory, name)


def _holds_rules(directory: Path) -> bool:
    return directory.is_dir() and any(path.suffix in SUFFIXES for path in directory.rglob("*"))


def _original(like: str, family: str | None, known: Loaded | None) -> tuple[str, str]:
    """The text of the rule to copy, and the family that the copy will have."""
    shipped = load_rules(shipped_rules())
    for loaded in filter(None, (known, shipped)):
        for rule in loaded.rules:
            if rule.name == like:
                return Path(loaded.places[like].file).read_text(encoding="utf-8"), family or rule.family
    names = {rule.name for loaded in filter(None, (known, shipped)) for rule in loaded.rules}
    raise click.BadParameter(no_rule(like, names), param_hint="--like")


def _say_next(file: Path, directory: Path, name: str) -> None:
    loaded = load_rules(file)
    results = run_examples(loaded.rules, loaded.examples, make_regex)
    passed = sum(result.passed for result in results)
    click.echo(f"{passed} of {len(results)} examples pass, in shadow mode: counted, not shown. Next:", err=True)
    for command, why in (
        (f"nearmiss rules check {file}", "after every change: problems, with their place"),
        (f"nearmiss rules test {file}", "the examples: write your story and its traps"),
        (f"nearmiss rules backtest {directory} --rule {name} --events FILE", "what it would have opened"),
    ):
        click.echo(f"  {printable(command)}\n      {why}", err=True)


def _stop(said: str) -> None:
    click.echo(said, err=True)
    sys.exit(FAILED)
