"""PURE: one PromQL query a feed, whose series name the parts that `states` judges.

Everything rests on raw series: a recorded ratio alone calls an idle service and a dead exporter well.
"""

from __future__ import annotations

import msgspec

from monitor.feeds.states import FeedName, Limits

WINDOW = "5m"
PART = "nearmiss_part"


class Feed(msgspec.Struct, frozen=True):
    """One feed, ready to be asked. `step` is in microseconds."""

    name: FeedName
    address: str
    query: str
    step: int
    limits: Limits
    headers: dict[str, str] = {}


def blackbox(match: str) -> dict[str, str]:
    """Probes: all of the last five minutes succeeded, or the newest of one target failed."""
    probe = f"probe_success{match}"
    return {
        "lowest": f"min(min_over_time({probe}[{WINDOW}]))",
        "newest": f"min({probe})",
        "samples": f"min(count_over_time({probe}[{WINDOW}]))",
        "age": f"time() - min(timestamp({probe}))",
    }


def sloth(match: str, requests: str) -> dict[str, str]:
    """The burn rate that Sloth records, with the raw counter behind it."""
    return {"burn": f"max(slo:current_burn_rate:ratio{match})", **_raw(requests)}


def pyrra(match: str, requests: str) -> dict[str, str]:
    """The error ratio that Pyrra records as `…:burnrate5m`, over its budget, with the raw counter behind it."""
    inside = match[1:-1].strip().rstrip(",")
    ratio = f'max({{__name__=~".+:burnrate5m",{inside}}})'
    return {"burn": f"{ratio} / (1 - max(pyrra_objective{match}))", **_raw(requests)}


def own(clear: str, hurt: str, requests: str | None) -> dict[str, str]:
    """Conditions written by a person: one holds where its query gives a series."""
    # A line of its own, because a query may end with a comment.
    found = {"clear": f"count(\n{clear}\n)", "hurt": f"count(\n{hurt}\n)"}
    return found | (_raw(requests) if requests else {})


def _raw(counter: str) -> dict[str, str]:
    return {
        "requests": f"sum(increase({counter}[{WINDOW}]))",
        "samples": f"max(count_over_time({counter}[{WINDOW}]))",
        "age": f"time() - max(timestamp({counter}))",
    }


def joined(parts: dict[str, str]) -> str:
    """All parts in one request."""
    return " or ".join(f'label_replace({query}, "{PART}", "{part}", "", "")' for part, query in parts.items())


def quoted(name: str) -> str:
    """A name as a PromQL string."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
