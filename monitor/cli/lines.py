"""Prints lines to a terminal, wrapped between words below their own beginning; whole where a program reads them."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.text import Text

from monitor.cli.engine_options import printable

_NARROWEST = 20


def say(console: Console, said: str, style: str = "") -> None:
    """One line, of printable characters; further lines of it stand a little to the right of its first word."""
    line = printable(said)
    if not console.is_terminal:
        console.print(Text(line, style=style), soft_wrap=True)
        return
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    width = max(console.width, _NARROWEST)
    wrapped = textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True)
    for piece in wrapped or [""]:
        console.print(Text(piece, style=style), soft_wrap=True)
