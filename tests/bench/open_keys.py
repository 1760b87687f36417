"""`python -m tests.bench.open_keys KEYS`: memory with so many alerts that stand, and what a batch writes as they grow.

Each alert is a key of its own that waits for an intervention. Prints one JSON object; measures nothing but the engine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from monitor.core.deciding.engine import Engine
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import SECOND, Event, Instant
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules

BATCH = 1000
EACH = 10
"""Alerts a service: a service keeps a bounded number of a kind."""
STARTS_AT = 1_767_571_200 * SECOND
SPACING = SECOND // 200
"""Close enough for all to stand at the same time."""


def main() -> None:
    keys = int(sys.argv[1])
    engine = Engine(load_rules(shipped_rules()).rules, Catalogue(), make_regex)
    engine.take_changes()
    before = _resident()
    written: list[int] = []
    for start in range(0, keys, BATCH):
        engine.step([_alert(number) for number in range(start, min(start + BATCH, keys))])
        written.append(sum(len(key) + len(value or b"") for key, value in engine.take_changes().items()))
    tenth = max(1, len(written) // 10)
    print(
        json.dumps(
            {
                "keys": keys,
                "gauges": engine.gauges(),
                "resident": _resident(),
                "before": before,
                # The first batches only fill what waits for the watermark.
                "bytes_early": sum(written[tenth : 2 * tenth]) / tenth,
                "bytes_late": sum(written[-tenth:]) / tenth,
            }
        )
    )


def _alert(number: int) -> Event:
    return Event(
        id=f"alert-{number}",
        source="alertmanager/main",
        time=Instant(STARTS_AT + number * SPACING),
        kind="alert.fired",
        service=f"service-{number // EACH}",
        environment="production",
        subject=f"Alert{number % EACH}/service-{number // EACH}",
        severity="high",
        title="errors are rising",
    )


def _resident() -> float:
    """The largest so far, in MB; that of `getrusage` begins with what the process had that started this one."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
