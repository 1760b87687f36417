"""The near misses that are planted in a made-up year: which stories there are, where and when each may happen.

Knows the stories by name and nothing of the noise around them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.lab.year.planted import gap, margin, oops, saved, weird
from monitor.lab.year.scene import Story

Hours = Literal["work", "any", "night"]
Place = Literal["any", "middle", "data", "hours"]


class Plot(msgspec.Struct, frozen=True):
    """One story: at what hours it may begin, on what kind of service, and for how many days at most it goes on."""

    story: Story
    hours: Hours = "any"
    place: Place = "any"
    days: int = 1
    near_misses: int = 1

    @property
    def name(self) -> str:
        return f"planted {self.story.__name__}"


PLOTS: tuple[Plot, ...] = (
    Plot(weird.odd_report, "work"),
    Plot(oops.rolled_back_early, "work", "middle"),
    Plot(gap.called_in_expert, place="data"),
    Plot(margin.page_and_fix),
    Plot(saved.failed_over, place="data"),
    Plot(weird.staging_shares, "work"),
    Plot(oops.canary_aborted, "work", "middle"),
    Plot(gap.escalation_failed, "night"),
    Plot(margin.capacity_raised),
    Plot(saved.breaker_held, place="middle"),
    Plot(weird.telemetry_gap),
    Plot(oops.flag_flipped, "work"),
    Plot(gap.snoozed_then_fixed, "work", days=12),
    Plot(margin.disk_emptied, place="data"),
    Plot(saved.jumped, place="middle"),
    Plot(weird.mismatch_held, "work", "data"),
    Plot(oops.config_reverted, "work"),
    Plot(gap.found_by_hand, "work"),
    Plot(margin.renewed_late, "work"),
    Plot(saved.healed_itself, place="middle"),
    Plot(weird.watcher_aborts, "work", "middle"),
    Plot(oops.wrong_target, "work"),
    Plot(gap.no_runbook, "night"),
    Plot(margin.redundancy_lost, place="data"),
    Plot(saved.bad_input_rejected, "work"),
    Plot(weird.benchmark_catches, "work", "middle", days=2),
    Plot(oops.guard_refused, "work", "data"),
    Plot(gap.notice_found_late, "work", days=30),
    Plot(margin.going_sour, place="middle"),
    Plot(weird.curious_latency, "work", days=2),
    Plot(oops.deletion_rescued, "work"),
    Plot(gap.before_opening, "night", "hours"),
    Plot(margin.backlog_drained, "night"),
    Plot(oops.pipeline_cancelled, "work"),
    Plot(gap.same_again, "work", "data", days=23, near_misses=2),
    Plot(margin.restore_test_failed, "night", "data", days=3),
    Plot(oops.secret_leaked, "work", days=2),
    Plot(gap.fix_caused_next, place="data"),
    Plot(margin.ceiling_widened, "work", "data", days=3),
    Plot(oops.job_killed, "work", "data"),
    Plot(gap.forced_change, "work"),
    Plot(margin.budget_held),
    Plot(gap.upgrade_held, "work", "data", days=2),
    Plot(weird.staging_held, "work", "middle"),
    Plot(oops.redeployed_early, "work", "middle"),
    Plot(margin.page_and_fix_below, place="middle"),
    Plot(weird.watcher_aborts_bot, "work", "middle"),
    Plot(margin.inodes_left),
    Plot(oops.wrong_workspace, "work"),
    Plot(margin.renewed_after_its_end, "work"),
    Plot(weird.small_incident, "night"),
    Plot(oops.guard_refused_on_shell, "work"),
    Plot(margin.last_nodes),
    Plot(weird.noticed_in_chat),
)
"""In the order in which a year takes them, the families in turn; a longer list begins again from its front."""
