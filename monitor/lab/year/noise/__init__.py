"""The noise of a made-up year: which stories there are, how often each happens on a day, where and at what hours.

Rates are for an organisation of 300 services on an average day: 400 alerts, 40 deployments to production.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.lab.year.noise import everyday, lookalikes, routine, traps
from monitor.lab.year.scene import Story

Follows = Literal["people", "machines", "night"]
Place = Literal["any", "users", "data", "middle", "hours"]


class Habit(msgspec.Struct, frozen=True):
    """One story and how often it happens a day on average; `follows` tells whose hours it keeps."""

    story: Story
    daily: float
    follows: Follows = "people"
    place: Place = "any"

    @property
    def name(self) -> str:
        return f"noise {self.story.__name__}"


HABITS: tuple[Habit, ...] = (
    Habit(everyday.alert_that_clears, 320, "machines"),
    Habit(everyday.flapping, 8, "machines"),
    Habit(everyday.spreading, 7, "machines"),
    Habit(everyday.release, 31),
    Habit(everyday.roll_forward, 1.2),
    Habit(everyday.merge_only, 50),
    Habit(everyday.autoscaling, 70, "machines", "middle"),
    Habit(everyday.churn, 90, "machines"),
    Habit(everyday.small_change, 14),
    Habit(everyday.by_hand, 8),
    Habit(everyday.nightly_job, 40, "night", "data"),
    Habit(everyday.chatter, 25),
    Habit(everyday.ticket, 4),
    Habit(everyday.quick_answer, 0.7, "machines"),
    Habit(everyday.staging_trouble, 1.5),
    Habit(everyday.watched_incident, 0.3),
    Habit(routine.planned_failover, 0.15, place="data"),
    Habit(routine.switched_over, 0.2, "night", "data"),
    Habit(routine.rotated_by_machine, 2, "machines"),
    Habit(routine.short_lived, 20, "machines", "data"),
    Habit(routine.rotated_in_time, 0.3),
    Habit(routine.flag_ramp, 4),
    Habit(routine.experiment_ends, 0.8),
    Habit(routine.demonstration, 0.5),
    Habit(routine.drill, 0.07, place="data"),
    Habit(routine.known_noise, 0.12),
    Habit(routine.silenced_for_work, 1),
    Habit(routine.taken_back_days_later, 0.4),
    Habit(routine.scheduled_redeploy, 0.3),
    Habit(routine.early_canary_gate, 2),
    Habit(routine.routine_denial, 12),
    Habit(routine.superseded, 5),
    Habit(routine.staging_pipeline_cancelled, 1.5),
    Habit(routine.ample_room, 0.4, place="data"),
    Habit(routine.cleaned_by_cron, 1, "machines", "data"),
    Habit(routine.scaled_ahead, 0.3),
    Habit(routine.rolling_upgrade, 0.4, place="data"),
    Habit(lookalikes.cleared_while_releasing, 1.2, place="users"),
    Habit(lookalikes.cleared_while_configuring, 0.6, place="users"),
    Habit(lookalikes.cleared_before_release, 0.4, place="users"),
    Habit(lookalikes.warned_while_releasing, 0.7, place="users"),
    Habit(lookalikes.asked_and_released, 0.5, place="users"),
    Habit(lookalikes.long_warning, 0.15, place="users"),
    Habit(lookalikes.paged_about_a_probe, 0.2, place="users"),
    Habit(traps.taken_and_went_on, 0.15, place="users"),
    Habit(traps.released_meanwhile, 0.02, place="users"),
    Habit(traps.scheduled_experiment, 0.4, place="users"),
    Habit(traps.decommissioned, 0.3),
    Habit(traps.moved_in_a_window, 0.05, place="data"),
    Habit(traps.report_stopped, 0.3, place="data"),
    Habit(traps.no_secret, 0.1, place="users"),
    Habit(traps.notice_done_early, 0.1, place="users"),
    Habit(traps.backlog_of_every_night, 0.3, "night", "data"),
    Habit(traps.daily_peak, 0.7, "machines", "middle"),
    Habit(traps.one_replica_came_back, 2, "machines", "middle"),
    Habit(traps.breaker_flicker, 0.6, "machines", "middle"),
    Habit(traps.flaky_benchmark, 0.3, place="middle"),
    Habit(traps.within_tolerance, 0.2, place="data"),
    Habit(traps.scaled_in, 0.4, "machines"),
    Habit(traps.quiet_colleague, 0.15, place="users"),
    Habit(traps.cleaned_staging, 0.3, place="data"),
    Habit(traps.newer_build_cancels, 0.3, place="users"),
    Habit(traps.probe_at_night, 0.3, "night", "hours"),
)
FREEZE = Habit(routine.frozen, 12)
"""Only while releases are frozen, and then most releases are not."""
RELEASES: frozenset[Story] = frozenset({everyday.release, everyday.roll_forward, routine.flag_ramp})
