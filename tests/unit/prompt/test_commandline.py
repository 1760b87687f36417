"""What a command's words mean, and what of them is sent."""

from __future__ import annotations

import shlex

import pytest

from monitor.prompt.commandline import LONGEST, kind_of, program, shown


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("kubectl rollout undo deploy/payments", "change.rolled_back"),
        ("kubectl -n shop rollout restart deploy/payments", "change.restarted"),
        ("kubectl scale deploy/payments --replicas=4", "change.scaled"),
        ("sudo env A=b /usr/bin/kubectl set image deploy/payments app=app:2", "change.deployed"),
        ("kubectl set env deploy/payments A=b", "change.configured"),
        ("kubectl get pods", "change.ran"),
        ("helm rollback payments 3", "change.rolled_back"),
        ("systemctl restart payments", "change.restarted"),
        ("./restart delete apply", "change.ran"),
        ("sudo", "change.ran"),
    ],
)
def test_the_words_tell_the_kind(line: str, kind: str) -> None:
    assert kind_of(shlex.split(line), 0) == kind
    assert kind_of(shlex.split(line), 1) == "change.failed"


def test_the_program_is_the_one_that_does_the_work() -> None:
    assert program(shlex.split("sudo -n env A=b /usr/bin/kubectl get pods")) == "kubectl"
    assert program(["sudo"]) == "sudo"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mysql --password=abc -u shop", "mysql --password=*** -u shop"),
        ("vault login --token abc --field x", "vault login --token *** --field x"),
        ("deploy --secret --force", "deploy --secret --force"),
        (
            "curl -H 'Authorization: Bearer abc' https://u:abc@shop.example/x",
            "curl -H Authorization:*** https://***@shop.example/x",
        ),
        ("env DB_PASSWORD=abc run", "env DB_PASSWORD=*** run"),
        ("kubectl get pods -n shop", "kubectl get pods -n shop"),
    ],
)
def test_secrets_are_not_sent(line: str, said: str) -> None:
    assert shown(shlex.split(line)) == said


def test_a_long_command_is_cut_and_in_one_line() -> None:
    assert shown(["sh", "-c", "a\nb"]) == "sh -c a b"
    assert len(shown(["x" * 10_000])) == LONGEST
