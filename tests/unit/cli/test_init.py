"""`nearmiss init` without any tool, with tools that are away, and asking a person."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from monitor.settings import load_settings

NOWHERE = "http://127.0.0.1:1"


def init(folder: Path, *more: str, said: str | None = None) -> Result:
    asks = () if said is not None else ("--non-interactive",)
    return CliRunner().invoke(cli, ["init", "--directory", str(folder), *asks, *more], input=said)


@contextmanager
def answering(status: int, said: str) -> Iterator[str]:
    """The address of a program that always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_what_is_absent_is_said(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert done.exit_code == 0, done.output
    for source in ("backstage: not named", "kubernetes: no kubeconfig", "prometheus: not named", "alertmanager: none"):
        assert source in done.output
    assert not (tmp_path / "catalogue.yaml").exists()
    assert "catalogue: no service was found" in done.output


def test_a_tool_that_is_away_fails_and_hides_nothing(tmp_path: Path) -> None:
    away = ("--prometheus", NOWHERE, "--alertmanager", NOWHERE, "--backstage", str(tmp_path / "none.yaml"))
    done = init(tmp_path, *away, "--github", "acme")
    assert done.exit_code == 1
    assert f"prometheus: {NOWHERE}: unreachable" in done.output
    assert "feeds:" not in done.output
    assert f"alertmanager: {NOWHERE}: unreachable" in done.output
    assert "no such file" in done.output
    settings = yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())
    assert "catalogue" not in settings
    assert settings["pulls"] == [{"tool": "alertmanager", "url": NOWHERE}]
    assert f"Secret: {settings['secrets']['github'][0]}" in done.output
    again = init(tmp_path, *away, "--github", "acme")
    assert settings["secrets"]["github"][0] in again.output


def test_entities_of_backstage_are_read_in_place(tmp_path: Path) -> None:
    entities = tmp_path / "entities.yaml"
    entities.write_text("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: checkout}\n")
    done = init(tmp_path, "--backstage", str(entities))
    assert done.exit_code == 0, done.output
    assert yaml.safe_load((tmp_path / "nearmiss.yaml").read_text()) == {"catalogue": [str(entities)]}


def kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A `kubectl` that is found before any other."""
    (folder / "bin").mkdir()
    (folder / "bin/kubectl").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "bin/kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")


def test_workloads_are_listed_by_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = {"metadata": {"name": "checkout", "namespace": "shop", "labels": {"team": "team-web"}}}
    (tmp_path / "list.json").write_text(json.dumps({"kind": "List", "items": [workload]}), encoding="utf-8")
    kubectl(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/asked\ncat {tmp_path}/list.json')
    done = init(tmp_path / "out", "--kubeconfig", str(tmp_path / "config"))
    assert done.exit_code == 0, done.output
    assert "kubernetes: 1 workloads" in done.output
    assert (tmp_path / "asked").read_text().split()[:2] == [f"--kubeconfig={tmp_path / 'config'}", "get"]
    catalogue = yaml.safe_load((tmp_path / "out/catalogue.yaml").read_text())
    assert catalogue["services"] == {"checkout": {"owner": "team-web"}}


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo 'the server refuses' >&2; exit 1", "kubernetes: the server refuses"), ("echo '<html>'", "kubernetes: ")],
)
def test_a_cluster_that_cannot_be_listed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    kubectl(tmp_path, monkeypatch, script)
    done = init(tmp_path / "out", "--kubeconfig", str(tmp_path / "config"), "--github", "acme")
    assert done.exit_code == 1
    assert said in done.output
    assert "secrets" in yaml.safe_load((tmp_path / "out/nearmiss.yaml").read_text()), "what is known is written"


def test_a_person_is_asked(tmp_path: Path) -> None:
    done = init(tmp_path, "--wait", "0", said="\n\n\n\n\nacme\ny\n")
    assert done.exit_code == 0, done.output
    assert sorted(yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())["secrets"]) == ["github", "pagerduty"]


def test_a_prometheus_elsewhere_has_to_prove_itself_and_one_that_delivers_goes_on(tmp_path: Path) -> None:
    away = ("--prometheus", NOWHERE)
    settings = tmp_path / "nearmiss.yaml"
    public = init(tmp_path, *away, "--address", "https://nearmiss.example")
    (secret,) = yaml.safe_load(settings.read_text())["secrets"]["prometheus"]
    assert f"authorization: {{credentials: {secret}}}" in public.output.replace("'", "")
    settings.write_text("port: 8080\n")
    assert "credentials" not in init(tmp_path, *away, "--address", "https://nearmiss.example").output
    settings.unlink()
    local = init(tmp_path, *away, "--github", "acme", "--address", "http://127.0.0.1:9000")
    assert "credentials" not in local.output
    assert f"next: nearmiss run --config {settings}\n" in local.output


@pytest.mark.parametrize("option", ["--prometheus", "--alertmanager", "--grafana", "--address"])
def test_an_address_needs_its_scheme(tmp_path: Path, option: str) -> None:
    done = init(tmp_path, option, "tool:9090")
    assert done.exit_code == 2
    assert "'tool:9090' is no address; try http://tool:9090" in done.output
    assert list(tmp_path.iterdir()) == []
    for wrong in ("htp://tool", "http://tool:port", "http://[tool"):
        assert "is no address; try http://prometheus:9090" in init(tmp_path, option, wrong).output


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    said = f"127.0.0.1:1\n{NOWHERE}/\n\n\nnone\n\n\nacme\nn\n"
    done = init(tmp_path, "--wait", "0", said=said)
    assert "'127.0.0.1:1' is no address; try http://127.0.0.1:1" in done.output
    assert "'none' does not exist" in done.output
    assert f"prometheus: {NOWHERE}: unreachable" in done.output
    assert list(yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())["secrets"]) == ["github"]


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [(401, "token expired", "answers 401; check --authorization-file"), (404, "404", "not as a Prometheus does")],
)
def test_what_answers_in_place_of_a_prometheus_is_said_once(
    tmp_path: Path, status: int, answer: str, said: str
) -> None:
    with answering(status, answer) as address:
        done = init(tmp_path, "--prometheus", address)
    assert done.exit_code == 1
    assert said in done.output
    assert done.output.count(address) == 1
    assert list(tmp_path.iterdir()) == []
    assert init(tmp_path, "--alertmanager", NOWHERE).output.count("written") == 1


def test_waiting_ends(tmp_path: Path) -> None:
    done = init(tmp_path, "--wait", "1", "--address", NOWHERE)
    assert done.exit_code == 1
    assert f"start it with: nearmiss run --config {tmp_path / 'nearmiss.yaml'}\n" in done.output
    assert f"{NOWHERE}: unreachable" in done.output


def test_settings_that_are_wrong_are_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "nearmiss.yaml").write_text("prot: 8080\n")
    done = init(tmp_path, "--github", "acme")
    assert done.exit_code == 1
    assert "did you mean port?" in done.output
    assert (tmp_path / "nearmiss.yaml").read_text() == "prot: 8080\n"


def test_the_port_of_the_address_is_where_the_service_listens(tmp_path: Path) -> None:
    settings = tmp_path / "nearmiss.yaml"
    first = init(tmp_path, "--address", "http://127.0.0.1:9000")
    assert load_settings({"config": str(settings)}, {}).port == 9000
    assert f"next: nearmiss run --config {settings}\nthen: nearmiss sources check --config {settings}\n" in first.output
    again = init(tmp_path, "--prometheus", NOWHERE)
    assert "targets: ['127.0.0.1:9000']" in again.output, "the configured port is where its tools reach it"
    assert f"{settings}: nothing to add" in again.output


@pytest.mark.parametrize(
    ("before", "applied", "listens"),
    [("port: 8081\n", "--write", 8081), ("log_level: debug\n", "--write", 9000), ("log_level: debug\n", "", 8080)],
)
def test_a_port_that_the_settings_do_not_say_is_told_with_the_command(
    tmp_path: Path, before: str, applied: str, listens: int
) -> None:
    settings = tmp_path / "nearmiss.yaml"
    settings.write_text(before)
    done = init(tmp_path, "--address", "http://localhost:9000", *filter(None, [applied]))
    assert load_settings({"config": str(settings)}, {}).port == listens
    assert settings.read_text().startswith(before)
    told = "" if listens == 9000 else " --port 9000"
    assert f"next: nearmiss run --config {settings}{told}\n" in done.output
    assert (" --to http://127.0.0.1:9000\n" in done.output) == bool(told)
    assert ("put by hand: port: 9000" in done.output) == before.startswith("port")


def test_an_address_of_another_machine_tells_no_port(tmp_path: Path) -> None:
    init(tmp_path, "--github", "acme", "--address", "https://nearmiss.example:8443")
    assert "port" not in yaml.safe_load((tmp_path / "nearmiss.yaml").read_text())
