"""GitHub: which event a body is, what changed and what only said so, and people and bots."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import MINUTE, Actor
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, left_out, refused

ANN = {"login": "ann", "id": 1, "type": "User"}
BOT = {"login": "deployer[bot]", "id": 2, "type": "Bot"}
REPOSITORY = {"name": "shop", "full_name": "acme/shop", "default_branch": "main", "pushed_at": 1_773_144_000}
DEPLOYMENT = {
    "id": 77,
    "sha": "c0ffee",
    "ref": "main",
    "task": "deploy",
    "environment": "production",
    "description": None,
    "creator": ANN,
    "created_at": "2026-03-10T12:00:00Z",
    "production_environment": True,
}


def body(**parts: Any) -> dict[str, Any]:
    return {"repository": REPOSITORY, "sender": ANN} | parts


def status(state: str, **deployment: Any) -> dict[str, Any]:
    found = {
        "id": 501,
        "state": state,
        "created_at": "2026-03-10T12:05:00Z",
        "creator": BOT,
        "target_url": "https://x.example",
    }
    return body(action="created", deployment_status=found, deployment=DEPLOYMENT | deployment)


def test_a_deployment_begins() -> None:
    found = event("github", body(action="created", deployment=DEPLOYMENT, workflow=None))
    assert (found.kind, found.service, found.environment) == ("change.started", "shop", "production")
    assert (found.subject, found.actor) == ("deployment/acme/shop/production", Actor("ann", "human"))
    assert (found.labels["version"], found.labels["commit"]) == ("c0ffee", "c0ffee")
    assert found.labels["production_environment"] == "true"
    assert at(found) == "2026-03-10T12:00:00Z"


def test_who_pressed_the_button_goes_before_the_bot_of_the_workflow() -> None:
    run = {"id": 7, "event": "workflow_dispatch", "actor": BOT, "triggering_actor": ANN}
    by_bot = {"creator": BOT}
    assert event("github", status("success", **by_bot) | {"workflow_run": run}).actor == Actor("ann", "human")
    scheduled = run | {"event": "schedule"}
    assert event("github", status("success", **by_bot) | {"workflow_run": scheduled}).actor == Actor(
        "deployer[bot]", "automation"
    )


def test_what_set_a_deployment_off_is_told() -> None:
    found = event("github", status("success") | {"workflow_run": {"id": 7, "event": "schedule"}})
    assert found.labels["trigger"] == "schedule"
    assert "trigger" not in event("github", status("success")).labels


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("success", "change.deployed"),
        ("failure", "change.failed"),
        ("error", "change.failed"),
        ("in_progress", "change.started"),
    ],
)
def test_its_states(state: str, kind: str) -> None:
    found = event("github", status(state))
    assert (found.kind, found.id, found.subject) == (kind, "deployment_status/501", "deployment/acme/shop/production")
    assert (at(found), found.url) == ("2026-03-10T12:05:00Z", "https://x.example")


def test_a_rollback_is_of_the_same_subject() -> None:
    found = event("github", status("success", task="rollback", sha="0ld", id=78))
    assert (found.kind, found.subject) == ("change.rolled_back", event("github", status("success")).subject)
    assert left_out("github", status("inactive")) == Ignored.NOT_RELEVANT


def test_a_bot_that_acts_for_a_person_is_named_with_the_person_beside_it() -> None:
    found = event("github", body(action="created", deployment=DEPLOYMENT | {"creator": BOT}))
    assert (found.actor, found.labels["sender"]) == (Actor("deployer[bot]", "automation"), "ann")


RUN = {
    "id": 31,
    "name": "Deploy to production",
    "path": ".github/workflows/deploy.yml",
    "event": "workflow_dispatch",
    "conclusion": "success",
    "head_sha": "c0ffee",
    "head_branch": "main",
    "display_title": "Points for partners",
    "actor": BOT,
    "triggering_actor": ANN,
    "run_started_at": "2026-03-10T12:00:00Z",
    "updated_at": "2026-03-10T12:05:00Z",
}


def test_a_workflow_that_is_called_a_deployment_to_production() -> None:
    found = event("github", body(action="completed", workflow_run=RUN))
    assert (found.kind, found.service, found.environment) == ("change.deployed", "shop", "production")
    assert (found.title, found.actor, at(found)) == (
        "Points for partners",
        Actor("ann", "human"),
        "2026-03-10T12:05:00Z",
    )
    assert found.subject == event("github", status("success")).subject
    assert (found.labels["version"], found.labels["workflow"]) == ("c0ffee", "Deploy to production")
    assert found.began_at is not None
    assert found.time - found.began_at == 5 * MINUTE


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"conclusion": "failure"}, "change.failed"),
        ({"name": "rollback"}, "change.rolled_back"),
        ({"name": "CD", "path": ".github/workflows/prod-deploy.yml"}, "change.deployed"),
        ({"name": "Promote to live"}, "change.deployed"),
        ({"name": "Roll back production"}, "change.rolled_back"),
    ],
)
def test_runs_that_change_production(said: dict[str, Any], kind: str) -> None:
    assert event("github", body(action="completed", workflow_run=RUN | said)).kind == kind


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Tests"},
        {"name": "Deploy"},
        {"name": "Deploy to staging"},
        {"name": "Rollback staging"},
        {"name": "Product deployments report"},
        {"name": "Tests", "conclusion": "cancelled"},
        {"name": "Release to staging", "conclusion": "cancelled"},
    ],
)
def test_runs_that_may_have_changed_nothing(said: dict[str, Any]) -> None:
    run = body(action="completed", workflow_run=RUN | said)
    assert left_out("github", run) == Ignored.NOT_RELEVANT
    assert left_out("github", run | {"action": "requested"}) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Restart workers", "change.restarted"),
        ("failover-ledger", "change.failed_over"),
        ("Rotate the signing key", "change.rotated"),
        ("restore_backup", "change.restored"),
        ("Purge the cache of the shop", "change.ran"),
    ],
)
def test_an_operation_that_a_person_starts_by_hand(name: str, kind: str) -> None:
    run = RUN | {"name": name, "path": ".github/workflows/ops.yml"}
    found = event("github", body(action="completed", workflow_run=run))
    assert (found.kind, found.environment, found.actor) == (kind, None, Actor("ann", "human"))
    for other in (
        {"event": "schedule"},
        {"triggering_actor": BOT},
        {"conclusion": "failure"},
        {"name": f"{name} test"},
    ):
        left = body(action="completed", workflow_run=run | other)
        assert left_out("github", left) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("said", "environment"), [({}, "production"), ({"name": "Release"}, None), ({"name": "Deploy"}, None)]
)
def test_a_cancelled_run_that_puts_something_out_is_held_by_who_sends_it(
    said: dict[str, Any], environment: str | None
) -> None:
    run = body(action="completed", workflow_run=RUN | said | {"conclusion": "cancelled", "actor": ANN})
    found = event("github", run | {"sender": {"login": "bea", "type": "User"}})
    assert (found.kind, found.environment) == ("change.held", environment)
    assert found.actor == Actor("bea", "human")


def test_a_push_is_dated_by_its_commit_where_the_repository_tells_of_another_push() -> None:
    commit = {"id": "c1", "message": "checkout: 7 replicas", "timestamp": "2026-03-10T12:00:00Z"}
    push = {"ref": "refs/heads/main", "before": "a", "after": "c1", "head_commit": commit}
    for pushed, told in (("2026-03-09T22:00:00Z", "2026-03-10T12:00:00Z"), (1773144300, "2026-03-10T12:05:00Z")):
        repository = {"name": "fleet", "full_name": "acme/fleet", "default_branch": "main", "pushed_at": pushed}
        assert at(event("github", body(**push) | {"repository": repository})) == told


def test_a_push_to_many_applications_says_which_one_and_where() -> None:
    commits = [
        {"id": "c1", "modified": ["clusters/staging/basket/release.yaml"], "added": ["clusters/staging/basket/a.yaml"]}
    ]
    repository = {"name": "fleet", "full_name": "acme/fleet", "default_branch": "main", "pushed_at": 1773144300}
    push = body(ref="refs/heads/main", before="a", after="c1", commits=commits) | {"repository": repository}
    found = event("github", push)
    assert (found.service, found.labels["app"], found.environment) == ("fleet", "basket", "staging")


def test_a_deployment_says_what_it_is() -> None:
    status = {"id": 12, "state": "success", "created_at": "2026-03-10T12:00:00Z", "description": "checkout 5.14.0"}
    deployment = {"id": 11, "sha": "d6a7", "ref": "main", "environment": "production"}
    found = event("github", body(deployment_status=status, deployment=deployment))
    assert found.title == "deploy main to production: checkout 5.14.0"


def test_a_review_of_a_deployment() -> None:
    run = {
        "id": 9,
        "run_attempt": 1,
        "head_sha": "c0ffee",
        "display_title": "release 7",
        "updated_at": "2026-03-10T12:01:00Z",
    }
    asked = event(
        "github",
        body(
            action="requested",
            workflow_run=run,
            reviewers=[],
            environment="production",
            requestor=ANN,
            since="2026-03-10T12:00:30Z",
        ),
    )
    assert (asked.kind, asked.environment, at(asked)) == ("note.added", "production", "2026-03-10T12:00:30Z")
    denied = event("github", body(action="rejected", workflow_run=run, approver=ANN, environment="production"))
    assert (denied.kind, denied.subject, at(denied)) == ("change.blocked", asked.subject, "2026-03-10T12:01:00Z")
    assert denied.id != asked.id


PULL = {
    "id": 31,
    "number": 12,
    "title": "Revert a limit",
    "merged": True,
    "merged_at": "2026-03-10T12:00:00Z",
    "merged_by": ANN,
    "merge_commit_sha": "feed",
    "head": {"ref": "revert-11-limit"},
    "base": {"ref": "main"},
}


def test_a_merge() -> None:
    found = event("github", body(action="closed", pull_request=PULL))
    assert (found.kind, found.subject) == ("change.merged", "pull_request/acme/shop/12")
    assert (found.labels["version"], found.labels["commit"], found.labels["reverts"]) == ("feed", "feed", "11")


SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("message", "reverts"),
    [
        (f'Revert "a limit"\n\nThis reverts commit {SHA}.\n', SHA),
        (f"This reverts commit {SHA}, reversing\nchanges made to beef.", SHA),
        ("This reverts commit 01234.", None),
        ("Let us see whether this reverts commits", None),
        (None, None),
    ],
)
def test_what_is_reverted_is_told_in_the_words_of_git(message: str | None, reverts: str | None) -> None:
    pushed = event("github", body(**PUSH | {"head_commit": {"timestamp": "2026-03-01T08:00:00Z", "message": message}}))
    assert pushed.labels.get("reverts") == reverts
    assert pushed.labels["commit"] == "b2"
    merged = event("github", body(action="closed", pull_request=PULL | {"body": message}))
    assert merged.labels["reverts"] == (reverts or "11")
    assert merged.labels["reverts_pull_request"] == "11"


@pytest.mark.parametrize(("action", "merged"), [("closed", False), ("opened", False), ("synchronize", True)])
def test_closed_is_not_merged(action: str, merged: bool) -> None:
    assert left_out("github", body(action=action, pull_request=PULL | {"merged": merged})) == Ignored.NOT_RELEVANT


PUSH = {
    "ref": "refs/heads/main",
    "before": "a1",
    "after": "b2",
    "pusher": {"name": "ann"},
    "head_commit": {"timestamp": "2026-03-01T08:00:00+01:00", "message": "first line\n\nmore"},
}


def test_a_push_happens_when_it_is_pushed_not_when_it_was_committed() -> None:
    found = event("github", body(**PUSH))
    assert (found.kind, found.title, found.actor) == ("change.merged", "first line", Actor("ann", "human"))
    assert at(found) == "2026-03-10T12:00:00Z"
    quiet = REPOSITORY | {"pushed_at": None}
    assert at(event("github", body(**PUSH, repository=quiet))) == "2026-03-01T07:00:00Z"
    assert event("github", body(**PUSH | {"before": "c3"})).id != found.id


@pytest.mark.parametrize("changes", [{"ref": "refs/heads/topic"}, {"ref": "refs/tags/main"}, {"deleted": True}])
def test_other_pushes_merge_nothing(changes: dict[str, Any]) -> None:
    assert left_out("github", body(**PUSH | changes)) == Ignored.NOT_RELEVANT


def test_a_release_is_one_event_however_often_it_is_told() -> None:
    release = {"id": 5, "tag_name": "v1.2", "name": "", "published_at": "2026-03-10T12:00:00Z", "author": BOT}
    published = event("github", body(action="published", release=release))
    released = event("github", body(action="released", release=release))
    assert (published.kind, published.title, published.id) == ("change.merged", "release v1.2", released.id)
    early = event("github", body(action="prereleased", release=release | {"prerelease": True}))
    assert early.id != published.id
    assert left_out("github", body(action="edited", release=release)) == Ignored.NOT_RELEVANT


def test_a_comment_is_a_note() -> None:
    comment = {"id": 8, "user": ANN, "created_at": "2026-03-10T12:00:00Z", "body": "that is weird"}
    found = event("github", body(action="created", issue={"number": 3, "title": "slow"}, comment=comment))
    assert (found.kind, found.title, found.labels["text"]) == ("note.added", "that is weird", "that is weird")
    assert found.labels["about"] == "slow"
    assert found.subject == "issue/acme/shop/3"
    by_bot = event("github", body(action="created", issue={"number": 3}, comment={**comment, "user": BOT}))
    assert by_bot.actor is not None
    assert by_bot.actor.kind == "automation"
    assert left_out("github", body(action="deleted", issue={}, comment=comment)) == Ignored.NOT_RELEVANT


def test_a_leaked_secret_is_a_hazard_that_only_its_revocation_ends() -> None:
    alert = {"number": 4, "secret_type": "cloud_key", "secret": "s3cret", "created_at": "2026-03-10T12:00:00Z"}
    over = alert | {"resolved_at": "2026-03-10T13:00:00Z", "resolved_by": ANN}
    found = event("github", body(action="created", alert=alert))
    assert (found.kind, found.severity) == ("alert.fired", "high")
    assert "s3cret" not in repr(found)
    revoked = event("github", body(action="resolved", alert=over | {"resolution": "revoked"}))
    assert (revoked.kind, revoked.subject) == ("alert.resolved", found.subject)
    waved = event("github", body(action="resolved", alert=over | {"resolution": "wont_fix"}))
    assert waved.kind == "alert.cancelled"
    assert left_out("github", body(action="assigned", alert=alert)) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"zen": "Keep it logically awesome.", "hook": {"id": 1}}, Ignored.HANDSHAKE),
        ({"action": "completed", "workflow_run": {"id": 1, "conclusion": "success"}}, Ignored.NOT_RELEVANT),
        ({"action": "opened", "issue": {"id": 1}}, Ignored.NOT_RELEVANT),
        ({"action": "created", "check_run": {"id": 1}}, Ignored.NOT_RELEVANT),
    ],
)
def test_what_says_nothing_about_a_running_system(parts: dict[str, Any], reason: Ignored) -> None:
    assert left_out("github", body(**parts)) == reason


def test_the_header_goes_before_the_shape() -> None:
    assert left_out("github", body(deployment=DEPLOYMENT), {"X-GitHub-Event": "sponsorship"}) == Ignored.UNKNOWN_TYPE
    assert refused("github", body(), {"X-GitHub-Event": "deployment"}) == Rejected.NOT_AN_EVENT
    assert refused("github", body(deployment=DEPLOYMENT), {"X-GitHub-Event": "push"}) == Rejected.NOT_AN_EVENT
    assert refused("github", body(deployment={"creator": ANN})) == Rejected.MISSING_FIELD
    assert left_out("github", body()) == Ignored.UNKNOWN_TYPE
    assert refused("github", {"a": 1}) == Rejected.NOT_AN_EVENT
    assert refused("github", []) == Rejected.NOT_AN_EVENT


@pytest.mark.parametrize(
    "message",
    [
        'Merge pull request #12 from acme/revert-11-new-cache\n\nRevert "new cache"',
        'Revert "new cache" (#12)\n\nReverts acme/shop#11',
    ],
)
def test_a_merge_of_the_revert_button_names_the_request_that_it_undoes(message: str) -> None:
    push = {"ref": "refs/heads/main", "before": "a1", "after": "b2", "head_commit": {"id": "b2", "message": message}}
    found = event("github", body(**push))
    assert (found.labels["reverts"], found.labels["reverts_pull_request"]) == ("11", "11")


def test_the_revert_button_by_the_words_of_its_request() -> None:
    pull = {"id": 5, "number": 12, "merged": True, "merged_at": "2026-03-10T12:00:00Z", "body": "Reverts acme/shop#11"}
    found = event("github", body(action="closed", pull_request=pull | {"head": {"ref": "undo"}}))
    assert found.labels["reverts"] == "11"
