"""Six weeks of the made-up year through the shipped rules: the figures are printed, and no draft stands on an impact.

`make measure` runs the whole year.
"""

from __future__ import annotations

import pytest

from monitor.lab.measure import StreamRun, play
from monitor.lab.year.shape import YearShape
from monitor.lab.year.stream import Year
from monitor.packs.language.regex import make_regex
from tests.support.shipped import read_shipped


@pytest.mark.timeout(600)
def test_no_draft_stands_on_an_impact(capsys: pytest.CaptureFixture[str]) -> None:
    year = Year(YearShape(days=42, near_misses=20, names="one"))
    run = StreamRun(read_shipped(), year.organisation.catalogue, make_regex, year.story_of)
    events = play(year, [run.step])
    measured = run.end(year.truths)
    summary = measured.summary
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what this is run for
            f"\n{events:,} events: {summary.found} of {summary.near_misses} found, {summary.true} of {summary.drafts} "
            f"live drafts true, {summary.contradictions} on {summary.impacts} impacts; not reached: {measured.unmet()}"
        )
    hurt = [(draft.title, draft.told) for draft in measured.false_drafts if draft.contradicts]
    assert (summary.contradictions, hurt) == (0, [])
