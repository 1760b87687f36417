"""`nearmiss mapping` and `decode --mappings`: what is printed where, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from monitor.decode.registry import SOURCES, use_own

MAPPING = """mapping: probe
fields: {service: check, id: [id]}
events:
  - {kind: alert.fired, when: {state: down}}
examples:
  - {name: down, body: {state: down, check: shop, id: 1}, expect: [{kind: alert.fired, service: shop}]}
"""
BODY = {"state": "DOWN", "check": "Shop", "id": "c-7", "at": "2026-03-01T10:00:00Z"}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    file = tmp_path / "mappings" / "probe.yaml"
    file.parent.mkdir()
    file.write_text(MAPPING, encoding="utf-8")
    return file


def test_the_shipped_mappings_are_checked_and_tested() -> None:
    found = run("mapping", "check")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "; 0 errors, 0 warnings" in found.stderr
    found = run("mapping", "test")
    assert found.exit_code == 0
    assert "✔ pingdom: 2 examples\n" in found.stdout
    assert found.stderr.endswith("examples pass\n")


def test_a_problem_has_its_line_and_the_exit_code_says_so(mapping: Path) -> None:
    mapping.write_text(MAPPING.replace("alert.fired, when", "alert.fird, when"), encoding="utf-8")
    for command in ("check", "test"):
        found = run("mapping", command, mapping.parent)
        assert found.exit_code == 1
        assert found.stdout.startswith(
            f"{mapping}:4:12: error: kind is 'alert.fird'; expected a kind of the event format"
        )


def test_an_example_that_fails_shows_what_came(mapping: Path) -> None:
    mapping.write_text(MAPPING.replace("service: shop}]", "service: cart}]"), encoding="utf-8")
    found = run("mapping", "test", mapping)
    assert found.exit_code == 1
    assert "✘ probe: 1 of 1 example failed\n  ✘ down: service: expected 'cart', got 'shop'" in found.stdout
    assert '"service":"shop"' in found.stdout
    assert found.stderr == "0 of 1 example pass\n"


def test_a_new_mapping_passes_its_own_example(tmp_path: Path) -> None:
    sample, output = tmp_path / "My_Probe.json", tmp_path / "out.yaml"
    sample.write_text(json.dumps(BODY), encoding="utf-8")
    found = run("mapping", "new", sample, "--output", output)
    assert (found.exit_code, found.stdout) == (0, f"{output}\n")
    assert f"nearmiss mapping test {output}" in found.stderr
    assert "mapping: my-probe\n" in output.read_text(encoding="utf-8")
    assert run("mapping", "test", output).exit_code == 0
    found = run("mapping", "new", sample, "--output", output)
    assert found.exit_code == 1
    assert "exists; nothing was written" in found.stderr
    # Without a file it goes to standard output.
    assert run("mapping", "new", sample).stdout == output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("{", 3, "not_json"),
        ("7", 3, "expected an object or an array"),
        *((empty, 3, "has no field with a value") for empty in ("[]", "{}", "[{}]", "[1]", '{"a": [{"b": null}]}')),
        ('{"up": true}', 0, ""),
        ('[{}, {"up": true}]', 0, ""),
    ],
)
def test_a_sample_that_cannot_be_read(tmp_path: Path, written: str, code: int, said: str) -> None:
    sample = tmp_path / "tool.json"
    sample.write_text(written, encoding="utf-8")
    found = run("mapping", "new", sample)
    assert found.exit_code == code
    assert said in found.stderr


def test_a_name_that_cannot_be_an_address_is_refused(tmp_path: Path) -> None:
    found = run("mapping", "new", tmp_path / "x.json", "--name", "My Tool")
    assert found.exit_code == 2
    assert "expected lower-case words with hyphens" in found.stderr


def test_decode_takes_own_mappings(mapping: Path, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps(BODY), encoding="utf-8")
    try:
        found = run("decode", "probe/acme", body, "--mappings", mapping.parent)
        assert found.exit_code == 0
        event = json.loads(found.stdout)
        assert (event["kind"], event["service"], event["source"]) == ("alert.fired", "Shop", "probe/acme")
        mapping.write_text("mapping: probe\n", encoding="utf-8")
        found = run("decode", "probe", body, "--mappings", mapping)
        assert found.exit_code == 1
        assert "a mapping has no 'events'" in found.stderr
    finally:
        use_own(())
    assert "probe" not in SOURCES
