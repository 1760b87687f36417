"""120 days of a made-up parcel carrier: what its tools sent, and what was planted among other people's work.

Written by someone who had read neither a rule, a weight nor a decoder, and first run on what two other seasons of the
same carrier had helped to cure: what is held here is what was reached then.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.near_miss import State
from monitor.decode.canonical import decode_line
from monitor.lab.ledger import Ledger
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import read_shipped

HERE = Path(__file__).parent / "parcels"
BATCH = 2_000
FOUND, PRECISION, STANDING = 20, 0.76, 0
"""Of 24 near misses, of all drafts, and of 19 outages."""


def test_what_is_reached_on_a_season_that_someone_else_made_up(record_property: Callable[[str, object], None]) -> None:
    catalogue, problems = load_catalogue(HERE / "catalogue.yaml")
    assert problems == ()
    with gzip.open(HERE / "events.jsonl.gz") as lines:
        events = [decode_line(line) for line in lines]
    engine, ledger = Engine(read_shipped(), catalogue, make_regex, EngineSettings(weights=shipped_weights())), Ledger()
    for start in range(0, len(events), BATCH):
        ledger.record(engine.step(events[start : start + BATCH]))
    ledger.record(engine.end())
    standing = [
        {cited.event.id for cited in entry.draft.evidence} for entry in ledger.entries() if entry.state == State.DRAFT
    ]
    planted = json.loads((HERE / "truth.json").read_bytes())
    near = [set(story["events"]) for story in planted if story["kind"] == "near_miss"]
    outages = [set(story["events"]) for story in planted if story["kind"] == "impact"]
    found = sum(any(story & cited for cited in standing) for story in near)
    true = sum(any(story & cited for story in near) for cited in standing)
    hurt = sum(any(story & cited for cited in standing) for story in outages)
    record_property("found", f"{found} of {len(near)}")
    record_property("true drafts", f"{true} of {len(standing)}")
    record_property("standing on impact", f"{hurt} of {len(outages)}")
    assert found >= FOUND
    assert true / len(standing) >= PRECISION
    assert hurt <= STANDING
