"""The systems of the two founding articles, each with its record: first sign, act, family, margin, title, question."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from monitor.cli.case_files import load_case
from monitor.lab.evaluate import run_case
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.shipped import read_shipped

FOLDERS = [Path(folder) for folder in os.environ.get("NEARMISS_CASES", "").split(":") if folder]
if not FOLDERS:
    pytest.skip("set NEARMISS_CASES to folders of labelled cases to try the rules on them", allow_module_level=True)

RULES = read_shipped()
WEIGHTS = shipped_weights()


class Record(msgspec.Struct, frozen=True):
    """What the draft that cites the act says. `sign`, `act`: events that it must cite in these roles."""

    case: str
    sign: str
    act: str
    family: str
    margin: str
    title: str
    question: str


RECORDS = (
    Record(
        "gitlab-2019-08-07-consul-certificate", "t1", "c3", "thats_weird", "1 d 12 h",
        "patroni host does not rejoin consul", "Would anything else have shown it?",
    ),
    Record(
        "prometheuskube-2020-11-10-log-agent", "t1", "c3", "thats_weird", "2 h 8 min",
        "some of our production logs are missing", "How long could it have gone unnoticed?",
    ),
    Record(
        "spotify-2018-us-cluster-deleted", "c1", "c3", "oops", "1 h 34 min",
        "DeleteCluster us-central1/prod-us requested – still in use – restored",
        "What hid the loss from users, and for how much longer?",
    ),
    Record(
        "spotify-2018-terraform-deletes-asia-and-us", "c2", "c6", "mind_the_gap", "3 h",
        "pipeline disabled", "What would have shipped if it had not been held?",
    ),
    Record(
        "mailchimp-2021-job-runner", "a1", "c3", "thats_weird", "1 d 23 h",
        "internal jobs failing", "What was odd about it?",
    ),
    Record(
        "tui-2020-07-10-title-miss", "a1", "c1", "margin", "8 h 10 min",
        "three adult passengers carry child standard weight", "How did you know that this would work?",
    ),
)  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.case)
def test_a_founding_story_gives_its_record(record: Record) -> None:
    (path,) = [path for folder in FOLDERS if (path := folder / f"{record.case}.yaml").exists()]
    case = load_case(path).case
    assert case is not None
    standing = [entry.draft for entry in run_case(case, RULES, make_regex, WEIGHTS).ledger.standing()]
    cited = {draft.id: {(one.role, one.event.id) for one in draft.evidence} for draft in standing}
    (draft,) = [draft for draft in standing if ("intervention", record.act) in cited[draft.id]]
    assert ("hazard", record.sign) in cited[draft.id]
    assert draft.first_sign_at == next(event.time for event in case.events if event.id == record.sign)
    assert draft.family == record.family
    assert draft.margin is not None
    assert draft.margin.text.startswith(record.margin)
    assert record.title in draft.title
    assert record.question in draft.questions
