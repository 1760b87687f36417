"""What one engine makes of events: through the command line as a user would run it, or as it stands by now."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.events import Instant
from monitor.decode.canonical import decode_line
from monitor.demo.story import CATALOGUE
from monitor.lab.ledger import Ledger
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import compiled_shipped, read_shipped


def replayed(lines: Sequence[bytes], directory: Path, catalogue: Path = CATALOGUE) -> list[dict[str, Any]]:
    """The drafts, one a line of its output, also those that were withdrawn."""
    file = directory / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    found = subprocess.run(
        [sys.executable, "-m", "monitor.cli.main", "replay", str(file), "--catalogue", str(catalogue)],
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]


def decided(
    lines: Sequence[bytes], catalogue: Path = CATALOGUE, until: Instant | None = None
) -> dict[str, dict[str, Any]]:
    """What one engine makes of events by the last of them, or until then: windows that are open still are left open."""
    engine = Engine(
        read_shipped(),
        load_catalogue(catalogue)[0],
        make_regex,
        EngineSettings(weights=shipped_weights()),
        compiled=compiled_shipped(),
    )
    ledger = Ledger()
    ledger.record(engine.step([decode_line(line) for line in lines]))
    if until is not None:
        ledger.record(engine.tick(until))
    return {str(entry.draft.id): json.loads(msgspec.json.encode(entry.line())) for entry in ledger.entries()}
