"""Lines on a terminal break between words; in a file they stay whole."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from monitor.cli.lines import say
from monitor.cli.watching import HistoryWatcher
from monitor.core.model.events import DAY, Instant

LINE = "  2026-03-10 12:00  Nearly burned: payments is slow (payments), rolled back after 12 min"


def said(line: str, *, terminal: bool) -> str:
    out = io.StringIO()
    say(Console(file=out, force_terminal=terminal, width=40, color_system=None), line)
    return out.getvalue()


def test_a_line_breaks_between_words_below_its_beginning() -> None:
    lines = said(LINE, terminal=True).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == " ".join(LINE.split())


def test_for_a_program_a_line_is_a_line() -> None:
    assert said(LINE, terminal=False) == LINE + "\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_moves_the_cursor_and_an_empty_line_is_one(terminal: bool) -> None:
    assert "\x1b" not in said("a\x1b[2Jb", terminal=terminal)
    assert said("", terminal=terminal) == "\n"


def test_a_bar_over_time_is_there_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal in (False, True):
        out = io.StringIO()
        monkeypatch.setattr(out, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr("sys.stderr", out)
        monkeypatch.setenv("TERM", "xterm")
        with HistoryWatcher("backtest", Instant(0), Instant(10 * DAY)) as watcher:
            watcher.reached(Instant(5 * DAY), 1234)
        assert ("1,234 events" in out.getvalue()) is terminal
        assert ("1970-01-06" in out.getvalue()) is terminal
