"""Shows a tree of reasons on a terminal: what was asked, whether it held, what was there. Knows nothing of rules."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from monitor.cli.engine_options import printable
from monitor.core.matching.explain import Why

_WIDTH_WITHOUT_TERMINAL = 200


def print_why(why: Why, *, marked: bool = True) -> None:
    """Print the tree to standard output; `marked` puts a tick or a cross before every node."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    console.print(_tree(why, marked))


def _tree(why: Why, marked: bool) -> Tree:
    tree = Tree(_line(why, marked), guide_style="dim")
    for part in why.parts:
        _grow(tree, part, marked)
    return tree


def _grow(tree: Tree, why: Why, marked: bool) -> None:
    branch = tree.add(_line(why, marked))
    for part in why.parts:
        _grow(branch, part, marked)


def _line(why: Why, marked: bool) -> Text:
    line = Text()
    if marked:
        line.append("✔ " if why.held else "✘ ", style="green" if why.held else "red")
    line.append(printable(why.asked))
    if why.found:
        line.append(f": {printable(why.found)}", style="dim")
    return line
