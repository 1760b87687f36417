"""Whoever follows the page of tools gets events: each section is done literally, against the running service.

Addresses, headers, environment variables, commands and configurations are taken from the page as they stand there, but
for the host. What the real tools make of their configuration is tried in tests/e2e.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import yaml

from monitor.core.model.events import SECOND
from monitor.ops.clock import SystemClock
from monitor.settings import load_settings
from tests.support import tool_pages
from tests.support.service import Service
from tests.support.tool_pages import SECRET, Section, proof, secret_of

ALL = list(tool_pages.sections())
BY_TITLE = {section.title: section for section in ALL}
EACH = [pytest.param(section, id=section.name) for section in ALL]
OPEN = "kubernetes"
"""Its line of curl has no secret, as on a machine where nothing else can reach the port."""
URL = re.compile(
    r"https?://(?:[\w-]+:(?P<password>[\w-]+)@)?nearmiss(?:\.example(?:\.com)?)?(?::\d+)?(?P<path>/[\w/?=.-]+)"
)
CHECK = {"x-nearmiss-check": "1"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With a secret for every tool: by the environment variable where the page names one, else in the file."""
    directory = tmp_path_factory.mktemp("followed")
    environment = {name: secret_of(section) for section in ALL for name in section.variables()}
    given = {name.removeprefix("NEARMISS_SECRETS__").lower() for name in environment}
    secrets = {
        section.name: [secret_of(section)]
        for section in ALL
        if section.name.replace("-", "_") not in given and section.name != OPEN
    }
    config = directory / "nearmiss.yaml"
    config.write_text(yaml.safe_dump({"secrets": secrets}), encoding="utf-8")
    database = f"sqlite:///{directory / 'n.db'}"
    running = Service(directory, "--database", database, "--config", str(config), environment=environment)
    try:
        yield running.start()
    finally:
        running.close()


def send(service: Service, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    given = {"content-type": "application/json", **headers, **CHECK}
    return service.http.post(service.address + path, content=body, headers=given)


def kinds(answer: httpx.Response) -> tuple[str, ...]:
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["rejected"] == [], said
    return tuple(event["kind"] for event in said["events"])


def now() -> int:
    return SystemClock().now() // SECOND


def test_the_page_has_a_section_for_every_tool() -> None:
    table = tool_pages.PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    listed = set(re.findall(r"`(/ingest/[\w-]+)`", table))
    assert listed == {section.addresses[0] for section in ALL}


@pytest.mark.parametrize("section", EACH)
def test_its_body_gives_its_kinds_at_each_address(service: Service, section: Section) -> None:
    proved = proof(section.authentication, section.body, now())
    for address in section.addresses:
        answer = send(service, address, section.body, {**section.headers, **proved})
        assert kinds(answer) == section.kinds


ADDRESSES = [
    pytest.param(section, found, id=f"{section.name}-{number}")
    for section in ALL
    for number, found in enumerate(URL.finditer(section.text.partition("\nA body for ")[0]))
]


@pytest.mark.parametrize(("section", "written"), ADDRESSES)
def test_an_address_on_the_page_takes_the_body(service: Service, section: Section, written: re.Match[str]) -> None:
    headers = dict(section.headers)
    if written["password"]:
        # A URL with a password is sent as HTTP Basic.
        headers["authorization"] = "Basic " + base64.b64encode(f"any:{written['password']}".encode()).decode()
    elif "token=" not in written["path"]:
        headers |= proof(section.authentication, section.body, now())
    assert kinds(send(service, written["path"].rstrip("."), section.body, headers)) == section.kinds


@pytest.mark.parametrize(
    ("section", "header"),
    [
        pytest.param(section, found, id=f"{section.name}-{found[1]}")
        for section in ALL
        for found in re.finditer(r'\{"([\w-]+)": "the-secret"\}', section.text)
    ],
)
def test_a_header_that_the_page_writes_out_is_a_proof(
    service: Service, section: Section, header: re.Match[str]
) -> None:
    written = json.loads(header[0])
    assert kinds(send(service, section.addresses[0], section.body, {**section.headers, **written})) == section.kinds


def test_a_payload_that_one_enters_gives_what_the_sample_gives(service: Service) -> None:
    """Datadog fills in what stands behind a dollar sign."""
    section = BY_TITLE["Datadog"]
    (template,) = section.blocks("json")
    sample = json.loads(section.body)
    filled = {key: sample.get(key, "") for key in json.loads(template)}
    assert set(sample) <= set(filled), "the sample has nothing that the payload does not ask for"
    headers = proof(section.authentication, b"", now())
    assert kinds(send(service, section.addresses[0], json.dumps(filled).encode(), headers)) == section.kinds


COMMANDS = [pytest.param(section, each, id=section.name) for section in ALL for each in section.blocks("sh")]


@pytest.mark.parametrize(("section", "command"), COMMANDS)
def test_a_command_sends_what_the_cluster_has(service: Service, section: Section, command: str, tmp_path: Path) -> None:
    """The line as it is; `kubectl` is one that prints a list of the section's own object."""
    (tmp_path / "kubectl").write_text(f"#!/bin/sh\ncat {tmp_path}/list.json\n")
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "list.json").write_text(json.dumps({"kind": "List", "items": [json.loads(section.body)]}))
    said = run(service, command, tmp_path)
    assert said["accepted"] == 1, said


FILES = [
    pytest.param(section, found[1], found[2], id=f"{section.name}-{found[2]}")
    for section in ALL
    for found in re.finditer(r"`(curl --data-binary @([\w.]+))`\s+to\s+the\s+same\s+address", section.text)
]


@pytest.mark.parametrize(("section", "command", "file"), FILES)
def test_a_file_is_sent_as_it_is(service: Service, section: Section, command: str, file: str, tmp_path: Path) -> None:
    line = json.dumps(AUDITED) if section.name == "kubernetes" else json.dumps(json.loads(section.body))
    (tmp_path / file).write_text(f"{line}\n{line}\n")
    token = f" -H 'authorization: Bearer {SECRET}'"
    said = run(service, f"{command}{token} http://nearmiss:8080{section.addresses[0]}", tmp_path)
    assert (said["accepted"], said["duplicates"]) == (1, 1), said


AUDITED = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "auditID": "a-1",
    "stage": "ResponseComplete",
    "verb": "delete",
    "user": {"username": "dev-one@shop.example"},
    "objectRef": {"resource": "deployments", "namespace": "shop", "name": "payments"},
    "responseStatus": {"code": 200},
    "requestReceivedTimestamp": "2026-03-10T12:00:00.000000Z",
}


def run(service: Service, command: str, directory: Path) -> dict[str, Any]:
    """A shell line with our address, which answers with JSON."""
    line = URL.sub(lambda found: service.address + found["path"], command)
    known = {"PATH": f"{directory}:{os.environ['PATH']}", "no_proxy": "*"}
    done = subprocess.run(["sh", "-c", line], cwd=directory, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(block, id=section.name)
        for section in ALL
        for block in section.blocks("yaml")
        if block.startswith(("pulls:", "secrets:"))
    ],
)
def test_our_own_settings_on_the_page_are_taken(written: str, tmp_path: Path) -> None:
    (there := tmp_path / "file").write_text("x")
    settings = re.sub(r"/var/run/[\w./]+", str(there), written.replace("-----BEGIN CERTIFICATE-----…", SECRET))
    (config := tmp_path / "nearmiss.yaml").write_text(settings)
    loaded = load_settings({"config": str(config)})
    assert loaded.pulls or loaded.secrets
    assert all(each.targets() for each in loaded.pulls)


def test_argo_s_notifications_give_events(service: Service) -> None:
    """Its service, templates and triggers as they stand there: the address, the headers, and each body."""
    section = BY_TITLE["Argo CD and Argo Rollouts"]
    (block,) = section.blocks("yaml")
    data = {key: yaml.safe_load(value) for key, value in yaml.safe_load(block)["data"].items()}
    to = data["service.webhook.nearmiss"]
    headers = {each["name"]: each["value"].replace("$nearmiss-token", SECRET) for each in to["headers"]}
    path = URL.fullmatch(to["url"])
    assert path is not None
    sent = {each for trigger in data["trigger.nearmiss"] for each in trigger["send"]}
    assert sent == {key.removeprefix("template.") for key in data if key.startswith("template.")}
    application = json.dumps(json.loads(section.body)["application"])
    for name in sorted(sent):
        hook = data[f"template.{name}"]["webhook"]["nearmiss"]
        body = hook["body"].replace("{{toJson .app}}", application)
        found = kinds(send(service, path["path"], body.encode(), headers))
        assert found, name


def test_flux_signs_with_the_token_of_its_provider(service: Service) -> None:
    section = BY_TITLE["Flux"]
    (block,) = section.blocks("yaml")
    provider, alert = yaml.safe_load_all(block)
    assert alert["spec"]["providerRef"]["name"] == provider["metadata"]["name"]
    assert provider["spec"]["type"] in section.authentication
    path = URL.fullmatch(provider["spec"]["address"])
    assert path is not None
    signed = proof(section.authentication, section.body, now())
    assert kinds(send(service, path["path"], section.body, signed)) == section.kinds


def test_flagger_posts_to_the_address_of_its_webhook(service: Service) -> None:
    section = BY_TITLE["Flagger"]
    (block,) = section.blocks("yaml")
    (hook,) = yaml.safe_load(block)["spec"]["analysis"]["webhooks"]
    body = json.loads(section.body)
    body["metadata"] |= hook["metadata"]
    path = URL.fullmatch(hook["url"])
    assert path is not None
    answer = send(service, path["path"], json.dumps(body).encode(), {"authorization": f"Bearer {SECRET}"})
    assert kinds(answer) == section.kinds
    assert answer.json()["events"][0]["environment"] == hook["metadata"]["environment"]


def test_slack_s_manifest_brings_mentions_commands_and_shortcuts(service: Service) -> None:
    """What Slack posts for each feature of it, to the address that stands there, signed as the section says."""
    section = BY_TITLE["Slack"]
    (block,) = section.blocks("yaml")
    app = yaml.safe_load(block)
    settings, features = app["settings"], app["features"]
    (command,), (shortcut,) = features["slash_commands"], features["shortcuts"]
    assert settings["event_subscriptions"]["bot_events"] == [json.loads(section.body)["event"]["type"]]
    by, where = {"id": "U222"}, {"id": "C111"}
    message = {"type": "message", "user": "U333", "text": "the queue is stuck", "ts": "1773143990.000100"}
    interaction = {"type": f"{shortcut['type']}_action", "callback_id": shortcut["callback_id"], "user": by}
    interaction |= {"channel": where, "message": message, "action_ts": "1773144000.5", "trigger_id": "1.2"}
    written = {"command": command["command"], "text": "odd: it is slow", "user_id": "U222", "channel_id": "C111"}
    posted = [
        (settings["event_subscriptions"]["request_url"], section.body, {}),
        (command["url"], urlencode(written | {"trigger_id": "1.3"}).encode(), FORM),
        (settings["interactivity"]["request_url"], urlencode({"payload": json.dumps(interaction)}).encode(), FORM),
    ]
    titles = []
    for url, body, headers in posted:
        path = URL.fullmatch(url)
        assert path is not None
        answer = send(service, path["path"], body, headers | proof(section.authentication, body, now()))
        assert kinds(answer) == section.kinds
        titles.append(answer.json()["events"][0]["title"])
    assert titles[1:] == ["odd: it is slow", "the queue is stuck"]


def test_every_way_to_show_a_token_is_one(service: Service) -> None:
    """As the page about webhooks lists them, for a tool that signs nothing."""
    page = (tool_pages.PAGE.parents[1] / "how-to/webhooks.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"expects the secret as a\s+token: (.*?)\. ", page, re.DOTALL)
    section = BY_TITLE["Opsgenie"]
    named = re.findall(r"`(X-[\w-]+)`", listed)
    assert len(named) == 3
    basic = base64.b64encode(f"any:{SECRET}".encode()).decode()
    ways = [{name: SECRET} for name in named]
    ways += [{"Authorization": f"Bearer {SECRET}"}, {"Authorization": f"Basic {basic}"}]
    for way in ways:
        assert kinds(send(service, section.addresses[0], section.body, way)) == section.kinds
    assert "`?token=`" in listed
    assert kinds(send(service, f"{section.addresses[0]}?token={SECRET}", section.body, {})) == section.kinds


def test_without_a_proof_nothing_is_taken(service: Service) -> None:
    """The last of all, since after many of these nobody gets further for a while."""
    for section in ALL:
        if section.name != OPEN:
            answer = send(service, section.addresses[0], section.body, section.headers)
            assert answer.status_code in (401, 429), section.title
            assert answer.json()["reason"] in ("bad_signature", "too_many_tries")
