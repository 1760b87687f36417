"""The running service tells Slack of its drafts, and a button pressed there decides; the pages say how it does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.main import cli
from monitor.ops.clock import SystemClock
from tests.e2e.conftest import MakeService
from tests.support.slack import SECRET, TOKEN, FakeSlack, action_body, signed
from tests.support.waiting import until


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(directory: Path, slack: FakeSlack) -> str:
    file = directory / "nearmiss.yaml"
    file.write_text(
        json.dumps(
            {
                "review_budget": 0,
                "chat": {
                    "address": "https://nearmiss.example.com",
                    "slack_token": TOKEN,
                    "slack_signing_secret": SECRET,
                    "slack_api": slack.address,
                    "teams": {"*": {"channel": "C0PAYMENTS", "shift": "none", "weekly": "none"}},
                },
            }
        )
    )
    return str(file)


def test_drafts_of_the_running_service_are_told_and_decided_in_slack(
    make_service: MakeService, slack: FakeSlack, lines: list[bytes], tmp_path: Path
) -> None:
    service = make_service("--config", settings(tmp_path, slack)).start()
    answer = service.post("/ingest/events", b"\n".join(lines), content_type="application/x-ndjson")
    assert answer.status_code == 202, answer.text
    reply = until(lambda: slack.posted(thread=True), "a draft is told")[0]
    value = reply["blocks"][1]["elements"][0]["value"]
    record_id, _version = json.loads(value)

    pressed = action_body(
        {
            "type": "block_actions",
            "channel": {"id": "C0PAYMENTS"},
            "actions": [{"action_id": "nearmiss_claim", "value": value}],
        }
    )
    now = SystemClock().now()
    assert service.post("/chat/slack/actions", pressed, **signed(pressed, now, "wrong")).status_code == 401
    assert service.post("/chat/slack/actions", pressed, **signed(pressed, now)).status_code == 200
    assert service.post("/chat/slack/actions", pressed, **signed(pressed, now)).status_code == 409

    def state() -> bool:
        return bool(service.get(f"/api/v1/near-misses/{record_id}").json()["state"] == "in_review")

    until(state, "the button has decided")
    until(lambda: "In review" in json.dumps(slack.messages[reply["ts"]]["blocks"]), "the message is up to date")
    assert len({message["metadata"]["event_payload"]["key"] for message in slack.posted()}) == len(slack.posted())
    assert "Delivering" in service.get("/chat").text
    for page in ("/shift", "/shift.md", "/told"):
        assert service.get(page).status_code == 200, page


def test_a_report_from_the_prompt_is_stored_once_and_followed_up(make_service: MakeService) -> None:
    service = make_service().start()
    runner = CliRunner()
    to = ["--to", service.address]
    told = runner.invoke(cli, ["report", "the queue is stuck", "--service", "checkout", "--anonymous", *to])
    assert told.exit_code == 0, told.output
    token = told.output.split()[-1]
    again = runner.invoke(cli, ["report", "the queue is stuck", "--service", "checkout", "--token", token, *to])
    assert again.output.startswith("known already")
    follow = runner.invoke(cli, ["report", "--follow", token, *to])
    assert follow.output.startswith("waiting, reported ")
    around = runner.invoke(cli, ["report", "--around", "--service", "checkout", *to])
    assert "the queue is stuck" in around.output
    wrong = runner.invoke(cli, ["report", "--follow", "unknown-token", *to])
    assert (wrong.exit_code, "404" in wrong.output) == (1, True)
    service.stop()
    away = runner.invoke(cli, ["report", "again", "--service", "checkout", "--token", "again-1234", *to])
    assert away.exit_code == 1
    assert "send it again with --token again-1234" in away.output
