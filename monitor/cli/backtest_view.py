"""Shows a backtest on a terminal: a table of rules, a picture of the weeks, examples, and how two packs differ.

Knows the report and the width of the terminal, nothing of how the report came to be.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.engine_options import printable
from monitor.cli.lines import say
from monitor.core.model.events import EventId, to_text
from monitor.lab.backtest import BacktestReport, Found, RuleFigures
from monitor.lab.difference import Difference

WIDTH_WITHOUT_TERMINAL = 120
_STEPS = " ▁▂▃▄▅▆▇█"
_NOTHING = "·"
_LONGEST_NAME = 40
_COUNT, _MOST = 6, 18
"""The width of what stands on a line of the picture beside the name and the marks."""
_WIDE = 100
_MOST_EVENTS_SHOWN = 3
_REASONS_SHOWN = 3
_MOST_TEAMS = 20


def make_console() -> Console:
    """One for standard output; wide enough for lines to stay whole where it is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)


def print_report(console: Console, report: BacktestReport, names: frozenset[str], examples: int) -> None:
    """The tables, the picture, and `examples` drafts of each rule. `names` restricts the rules; empty is all."""
    rules = [rule for rule in report.rules if not names or rule.name in names]
    found = [one for one in report.standing if not names or names & set(one.rules)]
    _print_rules(console, rules, alone=bool(names))
    _print_weeks(console, report, rules, found)
    if examples:
        _print_examples(console, rules, found, examples)


def print_differences(console: Console, changes: Sequence[Difference], examples: int) -> None:
    """How many drafts appear, vanish and change; `examples` of each with why."""
    counts = {kind: sum(change.kind == kind for change in changes) for kind in ("appears", "vanishes", "changes")}
    console.print()
    if not changes:
        console.print(Text("no difference: every draft is the same with both packs", style="bold"))
        return
    said = ", ".join(
        f"{count} {word}" for word, count in zip(("appear", "vanish", "change"), counts.values(), strict=True)
    )
    console.print(Text(f"drafts that differ: {said}", style="bold"))
    for kind, sign, style in (("appears", "+", "green"), ("vanishes", "-", "red"), ("changes", "~", "yellow")):
        chosen = [change for change in changes if change.kind == kind]
        for change in chosen[:examples]:
            _print_change(console, change, sign, style)
        if len(chosen) > examples:
            console.print(Text(f"{sign} and {len(chosen) - examples} more that {_PLURAL[kind]}", style=style))


_PLURAL = {"appears": "appear", "vanishes": "vanish", "changes": "change"}


def _print_change(console: Console, change: Difference, sign: str, style: str) -> None:
    found = change.found
    say(console, f"{sign} {_moment(found)}  {found.rule}{_mode(found)}  {found.id}", style)
    say(console, f"    {found.title} (verdict {found.verdict})")
    say(console, f"    {_evidence(found)}", "dim")
    for what in change.what:
        say(console, f"    {what}")
    if change.why:
        side = "no longer opened" if change.kind == "vanishes" else "not opened before"
        say(console, f"    {side}: {change.why}")


def _print_rules(console: Console, rules: Sequence[RuleFigures], *, alone: bool) -> None:
    """A line a rule that did something; the others in one sentence."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("rule", overflow="fold")
    table.add_column("mode")
    for name in ("drafts", "none", "unknown", "withdrawn", "also"):
        table.add_column(name, justify="right")
    silent = []
    for rule in rules:
        withdrawn = sum(rule.withdrawn.values())
        if not (rule.drafts or withdrawn or rule.also or rule.merged or alone):
            silent.append(rule.name)
            continue
        numbers = (rule.drafts, rule.verdicts.get("none", 0), rule.verdicts.get("unknown", 0), withdrawn, rule.also)
        table.add_row(printable(rule.name), rule.mode, *(str(number) if number else _NOTHING for number in numbers))
    if table.row_count:
        console.print(table)
        say(console, "none, unknown: the verdict; also: drafts that another rule names; shadow: would have been", "dim")
    if silent:
        say(console, f"without a draft: {', '.join(silent)}", "dim")
    for rule in rules:
        _print_reasons(console, rule, with_not_opened=alone)


def _print_reasons(console: Console, rule: RuleFigures, *, with_not_opened: bool) -> None:
    for what, reasons in (("withdrawn", rule.withdrawn), ("not opened", rule.not_opened)):
        if reasons and (reasons is rule.withdrawn or with_not_opened):
            shown = [f"{reason} {count:,}" for reason, count in list(reasons.items())[:_REASONS_SHOWN]]
            more = len(reasons) - len(shown)
            said = ", ".join(shown) + (f" and {more} more reasons" if more else "")
            say(console, f"{rule.name}: {what}: {said}")


def _print_weeks(
    console: Console, report: BacktestReport, rules: Sequence[RuleFigures], found: Sequence[Found]
) -> None:
    if not found or not report.weeks:
        return
    by_rule = [(rule.name, rule.weeks, rule.drafts) for rule in rules if rule.drafts]
    teams = {one.team for one in found}
    by_team = [(team.name, team.weeks, team.drafts) for team in report.teams if team.name in teams and team.drafts]
    by_team.sort(key=lambda row: (-row[2], row[0]))
    rest = by_team[_MOST_TEAMS:]
    longest = max(len(printable(name)) for name, _, _ in (*by_rule, *by_team))
    tells_most = len(report.weeks) > 1 and console.width >= _WIDE
    beside = _COUNT + (_MOST if tells_most else 0)
    label = min(max(longest, 4), _LONGEST_NAME, max(console.width // 3, console.width - beside - len(report.weeks)))
    room = max(console.width - label - beside, 8)
    each = -(-len(report.weeks) // room)
    span = f"{report.weeks[0]} to {report.weeks[-1]}, each mark {'a week' if each == 1 else f'{each} weeks'}"
    if len(report.weeks) == 1:
        span = report.weeks[0]
    for heading, rows in (("rule", by_rule), ("team, to review", by_team[:_MOST_TEAMS])):
        # With one week the rules' picture says no more than their table.
        if not rows or (len(report.weeks) == 1 and rows is by_rule):
            continue
        console.print()
        console.print(Text(f"drafts by {heading}, {span}", style="bold"))
        most = max(max(_binned(weeks, report.weeks, each)) for _, weeks, _ in rows)
        for name, weeks, total in rows:
            busiest = max(weeks.items(), key=lambda item: item[1])
            line = Text(f"{_short(printable(name), label):<{label}} ")
            line.append(_strip(_binned(weeks, report.weeks, each), most), style="cyan")
            line.append(f" {total:>4}", style="bold")
            if tells_most:
                line.append(f"  most {busiest[1]}, {busiest[0]}", style="dim")
            console.print(line, soft_wrap=True)
    if rest:
        say(console, f"and {len(rest)} more teams with {sum(total for _, _, total in rest):,} drafts", "dim")
    _print_load(console, report, by_team)


def _print_load(console: Console, report: BacktestReport, by_team: Sequence[tuple[str, dict[str, int], int]]) -> None:
    if by_team:
        drafts = sum(total for _, _, total in by_team)
        mean = drafts / (len(by_team) * len(report.weeks))
        say(console, f"{mean:.2f} drafts to review a team and week, over the teams that have any", "dim")


def _binned(weeks: dict[str, int], order: Sequence[str], each: int) -> list[int]:
    counts = [weeks.get(week, 0) for week in order]
    return [sum(counts[start : start + each]) for start in range(0, len(counts), each)]


def _strip(counts: Sequence[int], most: int) -> str:
    """One mark a count, the highest full."""
    steps = len(_STEPS) - 1
    return "".join(_STEPS[-(-count * steps // most)] if count else _NOTHING for count in counts)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _print_examples(console: Console, rules: Sequence[RuleFigures], found: Sequence[Found], examples: int) -> None:
    for rule in rules:
        own = [one for one in found if one.rule == rule.name]
        if not own:
            continue
        console.print()
        would = "would have opened" if rule.mode == "shadow" else "opened"
        console.print(Text(f"{printable(rule.name)} {would}", style="bold"))
        for one in own[:examples]:
            say(console, f"  {_moment(one)}  {one.title} (verdict {one.verdict})")
            say(console, f"      {one.id}  {_evidence(one)}", "dim")
        if len(own) > examples:
            say(console, f"  and {len(own) - examples} more; --examples shows them", "dim")


def _evidence(found: Found) -> str:
    if not found.hazards:  # one event was both
        return _events(found.interventions)
    return f"{_events(found.hazards)} → {_events(found.interventions)}"


def _events(events: Sequence[EventId]) -> str:
    shown = ", ".join(f"{event.source} {event.id}" for event in events[:_MOST_EVENTS_SHOWN])
    return shown + (f" and {len(events) - _MOST_EVENTS_SHOWN} more" if len(events) > _MOST_EVENTS_SHOWN else "")


def _moment(found: Found) -> str:
    return (to_text(found.first_sign_at) or "")[:16].replace("T", " ")


def _mode(found: Found) -> str:
    return "" if found.mode == "live" else f" ({found.mode})"
