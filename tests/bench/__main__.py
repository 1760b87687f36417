"""`python -m tests.bench`: measures replay, rules, packs and the webhook, and prints the ratios with what is asked.

Sizes come from arguments or NEARMISS_BENCH_EVENTS, NEARMISS_BENCH_RATE and NEARMISS_BENCH_SECONDS. Exits 0 whatever
the figures are.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import load, replay, rules, webhook

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "bench"


def bench_replay(events: int) -> None:
    found = replay.measure(events, CACHE)
    print(f"replay of {found.events:,} events, {found.drafts:,} drafts, one core")
    print(f"  bare loop           {found.bare:8.2f} µs an event")
    print(f"  nearmiss replay     {found.replay:8.2f} µs an event")
    print(f"  speed against it    {found.ratio:8.3f}            (asked: at least 0.15)")
    print(f"  memory, a quarter   {found.memory_quarter:8.0f} MB")
    print(f"  memory, all of it   {found.memory_full:8.0f} MB         (asked: under 600, not growing)")


def bench_rules(events: int) -> None:
    found = rules.measure(max(1, min(events, 200_000)))
    print(f"rules that do not want an event, {found.events:,} events, decoding left out")
    print(f"  {found.few:4d} rules          {found.cost_few:8.2f} µs an event")
    print(f"  {found.many:4d} rules          {found.cost_many:8.2f} µs an event")
    print(f"  ratio               {found.ratio:8.2f}            (asked: at most 1.5)")


def bench_webhook(rate: float, seconds: float) -> None:
    found = webhook.measure(rate, seconds)
    print(f"webhook to durable on SQLite, {found.sent:,} requests at {rate:g} a second")
    print(f"  p50 / p99 / longest {found.p50:8.1f} / {found.p99:.1f} / {found.longest:.1f} ms   (asked: p99 under 25)")
    print(f"  processor           {found.processor:8.2f} ms a request, start and engine included")
    print(f"  answered with 202   {found.accepted:8,d}")
    print(f"  found in journal    {found.durable:8,d}            (asked: all of them)")


def bench_load(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        found = load.measure(Path(directory), count)
    print(f"a pack of {found.rules:,} rules with {found.examples:,} examples, one core")
    print(f"  read to be run      {found.run:8.2f} s")
    print(f"  compiled            {found.compiled:8.2f} s")
    print(f"  both                {found.run + found.compiled:8.2f} s          (asked: under 2)")
    print(f"  read to be checked  {found.check:8.2f} s, examples and all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    env = os.environ.get
    parser.add_argument(
        "which", nargs="*", choices=["replay", "rules", "load", "webhook", []], help="all of them by default"
    )
    parser.add_argument("--events", type=int, default=int(env("NEARMISS_BENCH_EVENTS", "1000000")))
    parser.add_argument("--rate", type=float, default=float(env("NEARMISS_BENCH_RATE", "300")))
    parser.add_argument("--seconds", type=float, default=float(env("NEARMISS_BENCH_SECONDS", "60")))
    given = parser.parse_args()
    benches: dict[str, Callable[[], None]] = {
        "replay": lambda: bench_replay(given.events),
        "rules": lambda: bench_rules(given.events),
        "load": lambda: bench_load(1_000),
        "webhook": lambda: bench_webhook(given.rate, given.seconds),
    }
    for name in given.which or benches:
        benches[name]()


if __name__ == "__main__":
    main()
