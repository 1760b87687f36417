"""Reads the rules and the catalogue that a command was given, the same way for every command that runs an engine.

Prints every problem of a file at once and stops with exit status 2, since a wrong rule is a wrong setting.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click

from monitor.cli.main import WRONG_USAGE
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.located.problems import Problem, nearest
from monitor.packs.catalogue.loader import load_catalogues
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from monitor.packs.weights import load_weights, shipped_weights
from monitor.setting_types import to_size

_MOST_NAMES = 8
"""Names of rules in one message: all that come with the program would fill the screen."""

rules_option = click.option(
    "--rules",
    "rules_path",
    type=click.Path(exists=True, path_type=Path),
    help="Directory of rules to use instead of the shipped ones.",
)
catalogue_option = click.option(
    "--catalogue",
    "catalogue_paths",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Catalogue of services: a file or a directory (repeatable).",
)


weights_option = click.option(
    "--weights",
    "weights_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights of the evidence to use instead of those that come with the program.",
)


def _size(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    try:
        found = int(str(to_size(value))) if value is not None else None
    except ValueError:
        raise click.BadParameter("expected a size such as 512MiB") from None
    if found is not None and found <= 0:
        raise click.BadParameter("expected a size above 0, such as 512MiB")
    return found


memory_option = click.option(
    "--engine-memory",
    "state_bytes",
    metavar="SIZE",
    callback=_size,
    help="Evict as a service with this `engine_memory` does; without it nothing is evicted.",
)


def read_weights(path: Path | None) -> Weights:
    """The weights of a file, or those that come with the program."""
    if path is None:
        return shipped_weights()
    loaded = load_weights(path)
    stop_on_errors(loaded.problems)
    assert loaded.weights is not None
    return loaded.weights


def read_rules(path: Path | None) -> tuple[Rule, ...]:
    """The rules of a directory, or those that come with the program."""
    loaded = load_rules(shipped_rules() if path is None else path, with_examples=False)
    stop_on_errors(loaded.problems)
    if not loaded.rules:
        click.echo(f"{path}: no rules in it; nothing can be found", err=True)
    return loaded.rules


def read_catalogue(paths: Sequence[Path]) -> Catalogue:
    """The catalogue of these files; without one, an empty catalogue: every service then counts as user-facing."""
    loaded = load_catalogues(paths)
    stop_on_errors(loaded.problems)
    return loaded.catalogue


def check_names(names: Iterable[str], known: Collection[str]) -> None:
    """Raises click.UsageError for the first name that no rule has."""
    if unknown := sorted(set(names).difference(known)):
        raise click.UsageError(no_rule(unknown[0], known))


def no_rule(name: str, known: Collection[str]) -> str:
    """That there is no such rule, with the nearest name; where none is near, some that share a word, or the first."""
    close = nearest(name, known)
    if close:
        return f"no rule named {name!r}; did you mean {close}?"
    words = set(name.lower().replace("_", "-").split("-"))
    kin = sorted(known, key=lambda other: (words.isdisjoint(other.split("-")), other))
    named = ", ".join(kin[:_MOST_NAMES]) or "none"
    rest = len(kin) - _MOST_NAMES
    return f"no rule named {name!r}; there are {named}" + (f" and {rest} more" if rest > 0 else "")


def stop_on_errors(problems: Iterable[Problem]) -> None:
    """Print every problem; exit with 2 where one is an error."""
    found = tuple(problems)
    for problem in found:
        click.echo(printable(str(problem)), err=True)
    if any(problem.is_error for problem in found):
        sys.exit(WRONG_USAGE)


def printable(text: str) -> str:
    """Text from outside for a terminal: one line, and no control characters that could move the cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
