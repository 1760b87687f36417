"""`nearmiss calibrate`: fits the weights of the evidence to labelled cases and years, and refuses a worse fit.

Prints what each organisation's stories would have been given by weights that never saw them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec
from rich.table import Table

from monitor.cli.case_files import find_case_files, load_case
from monitor.cli.engine_options import printable, read_weights, weights_option
from monitor.cli.figures_view import console
from monitor.cli.main import FAILED
from monitor.core.weighing.weights import Weights, probability, reasoned
from monitor.lab.calibrate import Labelled, fit, log_odds
from monitor.lab.evaluate import organisation_of
from monitor.lab.labelling import of_case, of_year
from monitor.packs.weights import as_text

_WIDTH = 120
_ALMOST_ZERO = 1e-9


@click.command("calibrate", short_help="Fit the weights of the evidence to labelled cases and synthetic years.")
@click.argument(
    "directories",
    metavar="DIR…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@weights_option
@click.option("--year", "seeds", type=int, multiple=True, metavar="SEED", help="A synthetic year as well (repeatable).")
@click.option("--days", type=click.IntRange(30, 366), default=180, show_default=True, help="How long each year is.")
@click.option(
    "--shrinkage",
    type=click.FloatRange(0.1, 1000),
    default=30.0,
    show_default=True,
    help="How strongly each weight is held to its prior: the mean of the reasoned weight and the one in force.",
)
@click.option(
    "--write",
    "target",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the fitted weights there.",
)
def command(
    directories: tuple[Path, ...],
    weights_path: Path | None,
    seeds: tuple[int, ...],
    days: int,
    shrinkage: float,
    target: Path | None,
) -> None:
    """Fit the weights to the labelled cases in each DIR.

    Each organisation is left out in turn and judged by weights fitted to the others. Exits with 1, and writes nothing,
    where the held-out stories would be judged worse than by the weights in force.
    """
    now = read_weights(weights_path)
    groups = _groups(directories, now)
    years = {f"year {seed}": of_year(seed, days, now) for seed in seeds}
    base = reasoned().weights
    middle = {name: (weight + base[name]) / 2 for name, weight in now.weights.items()}
    prior = msgspec.structs.replace(now, weights=middle)
    held_out = {name: _without(name, groups, years, prior, shrinkage) for name in groups}
    before = {name: loss(group, now) for name, group in groups.items()}
    after = {name: loss(groups[name], weights) for name, weights in held_out.items()}
    _print("held out", groups, before, after)
    if years:
        _families(groups, years, now, prior, shrinkage)
    fitted = fit(_together([*groups.values(), *years.values()]), prior, shrinkage)
    if _mean(groups, after) > _mean(groups, before):
        click.echo("stories that the fit has not seen are judged worse than before; try --shrinkage 100", err=True)
        sys.exit(FAILED)
    said = f"{sum(map(len, groups.values()))} candidates of {len(groups)} organisations, {len(years)} years"
    if target is not None:
        target.write_text(as_text(fitted, f"{said}, shrinkage {shrinkage:g}"), encoding="utf-8")
    else:
        click.echo(as_text(fitted, f"{said}, shrinkage {shrinkage:g}"), nl=False)


def _families(
    groups: Mapping[str, list[Labelled]],
    years: Mapping[str, list[Labelled]],
    now: Weights,
    prior: Weights,
    shrinkage: float,
) -> None:
    """Print what the stories alone teach about the years, and the years alone about the stories."""
    families = {"stories": _together([*groups.values()]), "years": _together([*years.values()])}
    after = {
        name: loss(family, fit(_together([other for key, other in families.items() if key != name]), prior, shrinkage))
        for name, family in families.items()
    }
    _print("family held out", families, {name: loss(family, now) for name, family in families.items()}, after)


def _groups(directories: Sequence[Path], weights: Weights) -> dict[str, list[Labelled]]:
    groups: dict[str, list[Labelled]] = {}
    for path in (path for directory in directories for path in find_case_files(directory)):
        loaded = load_case(path)
        for problem in loaded.problems:
            click.echo(printable(str(problem)), err=True)
        if loaded.case is not None:
            groups.setdefault(organisation_of(loaded.case), []).extend(of_case(loaded.case, weights))
    return {name: group for name, group in sorted(groups.items()) if group}


def _without(
    name: str,
    groups: Mapping[str, list[Labelled]],
    years: Mapping[str, list[Labelled]],
    prior: Weights,
    shrinkage: float,
) -> Weights:
    others = [group for other, group in groups.items() if other != name]
    return fit(_together([*others, *years.values()]), prior, shrinkage)


def _together(groups: Sequence[Sequence[Labelled]]) -> list[Labelled]:
    return [one for group in groups for one in group]


def loss(labelled: Sequence[Labelled], weights: Weights) -> float:
    """The mean negative log-likelihood of the labels, weighted: 0 is certain and right."""
    total = sum(one.weight for one in labelled)
    lost = 0.0
    for one in labelled:
        chance = probability(log_odds(one.candidate, weights.weights))
        lost -= one.weight * math.log(max(chance if one.rescue else 1 - chance, _ALMOST_ZERO))
    return lost / total if total else 0.0


def _mean(groups: Mapping[str, Sequence[Labelled]], losses: Mapping[str, float]) -> float:
    sizes = {name: sum(one.weight for one in group) for name, group in groups.items()}
    return sum(losses[name] * size for name, size in sizes.items()) / max(sum(sizes.values()), _ALMOST_ZERO)


def _print(
    what: str, groups: Mapping[str, Sequence[Labelled]], before: Mapping[str, float], after: Mapping[str, float]
) -> None:
    table = Table(what, "candidates", "rescues", "loss in force", "loss fitted without it")
    for name, group in groups.items():
        rescues = sum(one.rescue for one in group)
        table.add_row(name, str(len(group)), str(rescues), f"{before[name]:.3f}", f"{after[name]:.3f}")
    table.add_row("together", "", "", f"{_mean(groups, before):.3f}", f"{_mean(groups, after):.3f}")
    console(_WIDTH).print(table)
