"""GitHub's own examples (npm's `@octokit/webhooks-examples`): all are read, and what each event gives is written down.

The package is fetched by npm once, into the cache of the tests. Without npm or its registry the test says what it did
not try.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model.events import SECOND, Instant
from monitor.decode.registry import decode

PACKAGE = "@octokit/webhooks-examples@7.6.1"
BODIES = 726
GIVEN = {
    "commit_comment": Counter({"note.added": 12}),
    "deployment": Counter({"change.started": 11}),
    "deployment_review": Counter({"note.added": 1}),
    "deployment_status": Counter({"change.deployed": 10, "change.started": 1}),
    "issue_comment": Counter({"note.added": 12}),
    "push": Counter({"change.merged": 2}),
    "release": Counter({"change.merged": 13}),
    "secret_scanning_alert": Counter({"alert.fired": 7}),
}
"""What the examples of each event give, those of five servers of an enterprise among them; all others give nothing."""


@pytest.fixture(scope="module")
def examples(request: pytest.FixtureRequest) -> list[tuple[str, dict[str, Any]]]:
    assert request.config.cache is not None
    directory = Path(request.config.cache.mkdir("octokit"))
    if not list(directory.glob("*.tgz")):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"npm is not installed: the {BODIES} bodies of {PACKAGE} were not tried")
        command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(directory)]
        try:
            fetched = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not answer: the {BODIES} bodies of {PACKAGE} were not tried")
        if fetched.returncode:
            pytest.skip(f"npm could not fetch {PACKAGE}: its {BODIES} bodies were not tried: {fetched.stderr[-200:]}")
    found: list[tuple[str, dict[str, Any]]] = []
    with tarfile.open(next(directory.glob("*.tgz"))) as package:
        for member in package.getmembers():
            file = package.extractfile(member) if member.name.endswith("/index.json") else None
            if file is not None:
                found += [(event["name"], body) for event in json.load(file) for body in event["examples"]]
    return found


def outcomes(examples: list[tuple[str, dict[str, Any]]], *, has_header: bool) -> dict[str, Counter[str]]:
    """The kinds by event. No body may be refused."""
    given: dict[str, Counter[str]] = {}
    for name, body in examples:
        headers = {"X-GitHub-Event": name} if has_header else {}
        found = decode("github", json.dumps(body).encode(), headers, Instant(1_900_000_000 * SECOND))
        assert found.refusals == (), name
        assert bool(found.events) != bool(found.skipped), name
        given.setdefault(name, Counter()).update(str(event.kind) for event in found.events)
    return {name: kinds for name, kinds in given.items() if kinds}


def test_every_body_is_read_and_gives_the_kinds_that_are_written_down(
    examples: list[tuple[str, dict[str, Any]]],
) -> None:
    assert len(examples) == BODIES
    assert outcomes(examples, has_header=True) == GIVEN


def test_an_archive_without_headers_gives_the_same(examples: list[tuple[str, dict[str, Any]]]) -> None:
    assert outcomes(examples, has_header=False) == GIVEN
