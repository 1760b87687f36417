"""What `nearmiss replay` makes of events, through the command line as a user would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.demo.story import CATALOGUE


def replayed(lines: Sequence[bytes], directory: Path) -> list[dict[str, Any]]:
    """The drafts, one a line of its output, also those that were withdrawn."""
    file = directory / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    found = subprocess.run(
        [sys.executable, "-m", "monitor.cli.main", "replay", str(file), "--catalogue", str(CATALOGUE)],
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]
