"""What usually happens: base rates learned from the stream itself, so that coincidence is measured, not guessed.

Bounded, in event time. Counts decay; what has no history yet has a stated prior.
"""

from __future__ import annotations

import math

import msgspec

from monitor.core.model.events import DAY, HOUR, Event
from monitor.core.weighing.acts import Undoing
from monitor.core.weighing.plain_words import stem

RATE_HALF_LIFE = 21 * DAY
PAIR_HALF_LIFE = 60 * DAY
PAIR_ONCE_IN = 12 * HOUR
"""A pairing is counted once on one service in so long: one night's repetitions are one habit."""
PRIOR_SPAN = 4.0
"""A prior weighs like so many days of observation."""
USUAL_SPAN = 60.0
"""A prior weighs like so many days on one of the domain's services."""
MOST_PAIRS = 20_000
MOST_STANDINGS = 30
TOLD_OFTEN = 3
STANDING_TTL = 180 * DAY
"""An alert that has not cleared for so long may mean something else by now."""
FADED = 0.05
"""A decayed count below this is evicted."""
LEARNING = 14 * DAY
"""A stream younger than this has not shown its habits yet."""
DAYS_COUNTED = 14
PART_OF_A_WEEK = 3 * HOUR
PARTS_OF_A_WEEK = 7 * DAY // PART_OF_A_WEEK
PACE_PRIOR = 3.0
LEAST_PACE = 0.1
"""At night and on a Sunday someone always works: no time of the week makes an act rarer than this share."""

PRIOR_PER_DAY: dict[str, float] = {
    "change.deployed": 1.0,
    "change.flag_set": 0.5,
    "change.scaled": 4 / 14,
    "change.configured": 4 / 14,
    "change.restarted": 4 / 14,
    "change.ran": 4 / 14,
}
"""How often such a change happens on a service that nothing is known of; any other kind once a week."""
PRIOR_ANY_OTHER = 1 / 7


class Rate(msgspec.Struct, array_like=True):
    """A count that halves in every half-life, as it stood at `at` (microseconds)."""

    count: float
    at: int

    def value(self, at: int, half_life: int) -> float:
        return float(self.count * 0.5 ** (max(0, at - self.at) / half_life))

    def add(self, at: int, half_life: int) -> None:
        self.count, self.at = self.value(at, half_life) + 1.0, max(at, self.at)


def per_day(rate: Rate | None, at: int, since: int, prior: float) -> float:
    """How often a day: what was counted since `since`, and the prior for `PRIOR_SPAN` days."""
    counted = rate.value(at, RATE_HALF_LIFE) if rate is not None else 0.0
    observed = min(max(0, at - since), RATE_HALF_LIFE / math.log(2)) / DAY
    return (counted + prior * PRIOR_SPAN) / (observed + PRIOR_SPAN)


_WHOLE_WEEK = "week"


def _rate_key(kind: str) -> str:
    return f"rate\x1f{kind}"


def act_rate(rate: Rate | None, at: int, since: int, usual: float) -> float:
    """How often a day such an act is done on a service: what was counted since, and what is `usual` on the others.

    What is seldom done anywhere is not expected just because it was never seen here.
    """
    counted = rate.value(at, RATE_HALF_LIFE) if rate is not None else 0.0
    observed = min(max(0, at - since), RATE_HALF_LIFE / math.log(2)) / DAY
    return (counted + 1) / (observed + 1 / usual)


class Standings(msgspec.Struct, array_like=True):
    """How often an alert of one name cleared, the last few times: by itself, and after an action.

    `at`: when it last cleared, in microseconds.
    """

    alone: float = 0.0
    acted_on: float = 0.0
    at: int = 0

    def add(self, at: int, *, acted_on: bool) -> None:
        self.at = max(at, self.at)
        total = self.alone + self.acted_on
        if total >= MOST_STANDINGS:
            fade = (MOST_STANDINGS - 1) / total
            self.alone, self.acted_on = self.alone * fade, self.acted_on * fade
        if acted_on:
            self.acted_on += 1
        else:
            self.alone += 1

    @property
    def tells_ends(self) -> bool:
        """Whether its ends are reported often enough that a missing one means something."""
        return self.alone + self.acted_on >= TOLD_OFTEN

    @property
    def clears_alone(self) -> float:
        """From -0.5 (never) to 0.5 (always); 0 where nothing is known."""
        total = self.alone + self.acted_on
        return (self.alone + 1) / (total + 2) - 0.5 if total else 0.0


class Habits(msgspec.Struct):
    """What the stream taught of one domain, over all its services. `began`: the time of the first event there.

    By domain, since the engines of a routed journal see nothing else: one engine for all must learn the same.
    """

    began: int | None = None
    pairs: dict[str, Rate] = {}
    paired_on: dict[str, int] = {}
    standings: dict[str, Standings] = {}
    candidates: dict[int, int] = {}

    def usual(self, key: str, at: int) -> float:
        found = self.pairs.get(key)
        return 0.0 if found is None else found.value(at, PAIR_HALF_LIFE)

    def pair(self, key: str, service: str, at: int) -> bool:
        """Count a pairing; whether anything changed."""
        here = f"{key}\x1f{service}"
        last = self.paired_on.get(here)
        if last is not None and at - last <= PAIR_ONCE_IN:
            return False
        self.paired_on[here] = at
        self._add(key, at)
        return True

    def acted(self, kind: str, at: int) -> str:
        """Count an act of a kind, on whatever service; the key of what changed."""
        return self._add(_rate_key(kind), at)

    def usual_rate(self, kind: str, at: int, prior: float, services: int) -> float:
        """How often a day such an act is done on one of the domain's services, whichever."""
        began = self.began if self.began is not None else at
        days = min(max(0, at - began), PAIR_HALF_LIFE / math.log(2)) / DAY
        return (self.usual(_rate_key(kind), at) + prior * USUAL_SPAN) / (services * days + USUAL_SPAN)

    def days_known(self, at: int) -> float:
        """Over how many days what is counted was counted, the older days for less; at least one."""
        began = self.began if self.began is not None else at
        return max(1.0, min(max(0, at - began), PAIR_HALF_LIFE / math.log(2)) / DAY)

    def _add(self, key: str, at: int) -> str:
        if (known := self.pairs.get(key)) is None:
            self.pairs[key] = Rate(1.0, at)
        else:
            known.add(at, PAIR_HALF_LIFE)
        return key

    def worked(self, at: int) -> tuple[str, str]:
        """Count an act of a person at this time of the week; the keys of what changed."""
        return self._add(_WHOLE_WEEK, at), self._add(self._time_of_week(at), at)

    def pace(self, at: int) -> float:
        """How many times as much people do at this time of the week as on average; 1 where little is known."""
        mean = self.usual(_WHOLE_WEEK, at) / PARTS_OF_A_WEEK
        return max(LEAST_PACE, (self.usual(self._time_of_week(at), at) + PACE_PRIOR) / (mean + PACE_PRIOR))

    def _time_of_week(self, at: int) -> str:
        """Weeks begin where the domain did, so that no zone's hours show."""
        return f"week\x1f{(at - (self.began or 0)) // PART_OF_A_WEEK % PARTS_OF_A_WEEK}"

    def _day(self, at: int) -> int:
        """Days since the beginning, so that no zone's midnight shows."""
        return (at - (self.began if self.began is not None else at)) // DAY

    def count_candidate(self, at: int) -> None:
        day = self._day(at)
        self.candidates[day] = self.candidates.get(day, 0) + 1
        for old in [known for known in self.candidates if known < day - DAYS_COUNTED - 1]:
            del self.candidates[old]

    def net_rate(self, at: int, larger: float = 1.0) -> float:
        """Candidates a day in an organisation `larger` times as large as the domain, as log10 of one more."""
        day = self._day(at)
        seen = sum(self.candidates.get(day - back, 0) for back in range(1, DAYS_COUNTED + 1))
        days = max(1, min(DAYS_COUNTED, day))
        return math.log10(1 + larger * max(seen / days, self.candidates.get(day, 0)))

    def still_learning(self, at: int) -> float:
        """1.0 at the beginning of the stream, 0 from `LEARNING` on."""
        began = self.began if self.began is not None else at
        return max(0.0, 1 - (at - began) / LEARNING)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is left that a stream which begins now would not have."""
        return not (self.pairs or self.standings or self.paired_on)

    def evict(self, at: int) -> None:
        """Drop what has faded, and the least of what is too much."""
        for name in [name for name, known in self.standings.items() if at - known.at > STANDING_TTL]:
            del self.standings[name]
        for key in [key for key, rate in self.pairs.items() if rate.value(at, PAIR_HALF_LIFE) < FADED]:
            del self.pairs[key]
        if len(self.pairs) > MOST_PAIRS:
            order = sorted(self.pairs, key=lambda key: (self.pairs[key].value(at, PAIR_HALF_LIFE), key))
            for key in order[: len(self.pairs) - MOST_PAIRS]:
                del self.pairs[key]
        for here in [here for here, last in self.paired_on.items() if at - last > PAIR_ONCE_IN]:
            del self.paired_on[here]


def familiar_key(act: Event, actor: str, undoing: Undoing) -> str:
    """Under which it is counted how often such an act is done: its kind and words, whatever service it is done to.

    What undoes is another act than what does, though its words may be the same.
    """
    words = stem(act.title or act.subject or "", act.service or "")
    return f"{'undo' if undoing.strength else 'act'}\x1f\x1f{act.kind}\x1f{actor}\x1f{words}"


def pairing_keys(act: Event, actor: str, service: str, kind: str, name: str) -> list[str]:
    """Under which a habit is counted: this sign, this kind of act, this kind of actor, and the thing acted on."""
    subject = stem(act.subject or act.title or "", service)
    wide = f"{kind}\x1f{name if kind == 'alert' else ''}\x1f{act.kind}\x1f{actor}"
    return [f"{wide}\x1f{subject}", wide]
