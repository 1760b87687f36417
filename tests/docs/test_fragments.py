"""Settings, catalogues and events on pages are ones that the program takes; a block of another sort needs a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.decode.registry import decode
from monitor.packs.catalogue.loader import load_catalogues
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from monitor.settings import Settings, load_settings
from tests.architecture.files import text, tracked

FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OF_TOOLS = Path("docs/reference/tools.md")
"""Its blocks are configurations of the tools themselves."""
PAGES = [path for path in tracked() if path.suffix == ".md" and path.parts[0] == "docs" and path != OF_TOOLS]
CATALOGUE = {"services", "production", "feeds", "automation", "defaults"}
ELSEWHERE = {
    "display_information": "tests/integration/chat/test_manifest.py",
    "rule": "tests/docs/test_examples.py",
    "where": "tests/rules/test_reference_page.py",
    "steps": "tests/rules/test_reference_page.py",
    "id": "tests/docs/test_examples.py",
}
"""What the first key of other blocks says about them."""
CLUSTER = {"bootstrap": "kafka:9092", "topics": {"ops.events": "events"}, "journal": "ops.events"}


def blocks() -> Iterator[Any]:
    for page in PAGES:
        for number, found in enumerate(FENCE.finditer(text(page) or ""), 1):
            yield pytest.param(found[1], id=f"{page}:{number}")


@pytest.mark.parametrize("written", list(blocks()))
def test_a_block_is_of_a_sort_that_is_tried(written: str, tmp_path: Path) -> None:
    file = tmp_path / "written.yaml"
    first = next(yaml.safe_load_all(written))
    key = next(iter(first))
    if key in ELSEWHERE:
        return
    if key == "silence":
        rule = next(shipped_rules().rglob("*.yaml"))
        file.write_text(f"{rule.read_text(encoding='utf-8')}\n{written}", encoding="utf-8")
        assert not load_rules(file).errors
        return
    # One of the catalogue asks nobody.
    is_pulled = any("pull" in feed for feed in first.get("feeds", ()))
    if (key in CATALOGUE and not is_pulled) or key == "apiVersion":
        services = {each["service"] for each in first.get("feeds", ())} - set(first.get("services", ()))
        if services and "services" not in first:
            written += "services: {" + ", ".join(f"{name}: {{}}" for name in sorted(services)) + "}\n"
        file.write_text(written, encoding="utf-8")
        assert [str(problem) for problem in load_catalogues([file]).problems if problem.is_error] == []
        return
    assert set(first) <= set(Settings.model_fields), "a block of a new sort: give it a test"
    if "kafka" in first:
        there = {name: str(file) for name in first["kafka"] if name.endswith("_file")}
        # The page says that the password is given in the environment.
        secret = {"password": "pass"} if "username" in first["kafka"] else {}
        cluster = {
            name: value for name, value in CLUSTER.items() if name != "journal" or "canonical" not in first["kafka"]
        }
        first["kafka"] = {**cluster, **first["kafka"], **there, **secret}
    for account in first.get("accounts", {}).values():
        account["secret"] = account["secret"].replace("…", "0" * 64)
    file.write_text(yaml.safe_dump(first), encoding="utf-8")
    load_settings({"config": str(file)})


def test_configurations_of_tools_are_whole() -> None:
    for found in FENCE.finditer(text(OF_TOOLS) or ""):
        assert all(isinstance(each, dict) for each in yaml.safe_load_all(found[1]))


def test_the_event_of_the_format_s_page_is_read() -> None:
    page = text(Path("docs/reference/events.md")) or ""
    for body in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        outcome = decode("events", body.encode(), {"content-type": "application/json"})
        assert (len(outcome.events), outcome.refusals) == (1, ())
