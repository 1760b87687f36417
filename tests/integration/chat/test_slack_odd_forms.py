"""Forms that Slack signed and that are none of ours: answered, counted, and no defect."""

from __future__ import annotations

import pytest

from monitor.chat.slack_views import DECIDE, WEIRD
from tests.integration.chat.conftest import Office
from tests.integration.chat.test_slack_requests import USER, send
from tests.support.slack import action_body


@pytest.mark.parametrize(
    "view",
    [None, [1], {"callback_id": DECIDE, "private_metadata": "[]"}, {"callback_id": DECIDE, "private_metadata": 7},
     {"callback_id": WEIRD, "private_metadata": '{"token":7}', "state": []}],
)  # fmt: skip
async def test_a_form_that_is_none_of_ours_is_no_defect(office: Office, view: object) -> None:
    submission = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": USER}, "view": view}
    answer = await send(office, "actions", action_body(submission))
    assert answer.status_code == 200
    assert office.count("nearmiss_part_failures_total", part="chat") == 0
    if isinstance(view, dict):
        assert "none of ours" in bytes(answer.body).decode()
        assert office.count("nearmiss_chat_requests_total", outcome="unreadable") == 1
