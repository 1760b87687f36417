"""What a whole run of a pack leaves behind in one file, so that a changed rule can be run over the same events again.

The run is cut into stretches of events: each with its decisions, the rules that made candidates in it, and a digest of
what the engine held at its end; from time to time the whole state. Knows no rule beyond its card.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import monitor.core
from monitor.core.deciding.engine import Engine
from monitor.core.matching.facts import FROM_THE_PAST
from monitor.core.matching.matcher import CompiledRule
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Decision, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.packing import pack, to_plain, unpack
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule, facts_asked
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.event_series import MOST_BEYOND_TTL
from monitor.core.state.hazard_outcomes import ANY_RULE
from monitor.core.state.ttl_by_kind import verdict_ttl
from monitor.core.weighing.weights import Weights

FORMAT = 2
STRETCH = 4_000
"""Events of a stretch, at least: a batch is never divided."""
STATE_EVERY = 12
"""Stretches from one whole state to the next."""
_TABLES = """
CREATE TABLE header (body BLOB NOT NULL);
CREATE TABLE stretches (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE states (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""
_COMPARED = frozenset({"instance", "episode", "caught", "past", "recurrence"})


class IndexUnusable(Exception):
    """The file cannot serve this run: the reason, in one clause."""


class RuleCard(msgspec.Struct, frozen=True):
    """What is kept of a rule: hashes, and what it shares with other rules.

    `hash`: of all of it; `forming`: of what candidates are made by, apart from title, mode, hold and the like; `steps`:
    of what its further steps find. `past`: the facts that it asks of the past. `far`: kinds of further steps that look
    back beyond what is kept for all, of which only the newest few are kept, whichever rule wants them.
    """

    hash: str
    forming: str
    steps: str
    past: tuple[str, ...]
    far: tuple[str, ...]


class Header(msgspec.Struct, frozen=True):
    """`key`: a hash over everything but the rules. `events`: of the whole stream."""

    format: int
    key: str
    rules: dict[str, RuleCard]
    events: int = 0


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """`events`: how many had come by its end; `watermark`, `digest`, `noted`: at its end. `made`: rules by name."""

    events: int
    watermark: int
    digest: bytes
    noted: dict[str, bytes]
    made: tuple[str, ...]
    decisions: tuple[Open | Amend | Withdraw | Merge, ...]
    not_opened: tuple[tuple[str, str, int], ...]
    late: int


def key_of(streams: Sequence[str], catalogue: Catalogue, weights: Weights | None) -> str:
    """A hash over what decides beside the rules: the streams (by their own hashes), catalogue, weights and the code."""
    found = hashlib.blake2b(digest_size=16)
    root = Path(monitor.core.__file__).parent
    for path in sorted(root.rglob("*.py")):
        found.update(path.read_bytes())
    for part in (list(streams), catalogue, weights):
        found.update(_canonical(part))
    return found.hexdigest()


def card_of(rule: Rule) -> RuleCard:
    return RuleCard(
        hash=_hash(msgspec.structs.replace(rule, description="", version="")),
        forming=_hash([rule.hazard, rule.intervention, rule.correlate, rule.clauses]),
        steps=_hash([rule.clauses, rule.intervention.within, rule.impact.hold] if rule.clauses else []),
        past=tuple(sorted(facts_asked([rule]) & FROM_THE_PAST)),
        far=tuple(sorted(_far(rule))),
    )


def _far(rule: Rule) -> set[str]:
    compiled = CompiledRule(rule, 0)
    found: set[str] = set()
    for step in compiled.clauses:
        clause = step.clause
        assert clause is not None  # `clauses` are the further steps
        is_few = not clause.every and max(clause.at_least, clause.at_most or 0) < MOST_BEYOND_TTL
        if is_few:
            found |= {kind for kind in step.kinds if step.look_back + RETENTION.late_allowance > verdict_ttl(kind, 0)}
    return found


def _canonical(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic", enc_hook=to_plain)


def _hash(value: object) -> str:
    return hashlib.blake2b(_canonical(value), digest_size=12).hexdigest()


class Digest:
    """Of the cells that tell what an engine is at work on; it does not depend on the order of changes."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._all = 0
        self._noted: dict[str, int] = {}

    def update(self, changes: Mapping[str, bytes | None]) -> None:
        for key, value in changes.items():
            kind, _, name = key.partition(":")
            if kind in _COMPARED:
                self._all ^= self._changed(key, value)
            elif kind == "noted":
                rule = str(msgspec.json.decode(name)[0])
                self._noted[rule] = self._noted.get(rule, 0) ^ self._changed(key, value)

    def _changed(self, key: str, value: bytes | None) -> int:
        before = self._known.pop(key, 0)
        if value is None:
            return before
        now = int.from_bytes(hashlib.blake2b(key.encode() + b"\0" + value, digest_size=16).digest())
        self._known[key] = now
        return before ^ now

    @property
    def value(self) -> bytes:
        return self._all.to_bytes(16)

    @property
    def noted(self) -> dict[str, bytes]:
        """By rule, of what is noted on hazards that wait."""
        return {rule: value.to_bytes(16) for rule, value in self._noted.items() if value and rule != ANY_RULE}

    def equals(self, stretch: Stretch, without: frozenset[str]) -> bool:
        """Whether an engine is at work on the same as another was at the end of a stretch, apart from some rules."""
        mine, theirs = ({r: v for r, v in noted.items() if r not in without} for noted in (self.noted, stretch.noted))
        return self.value == stretch.digest and mine == theirs


class Recorded(msgspec.Struct):
    """What was decided since the last stretch ended."""

    decisions: list[Any] = []
    not_opened: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    late: int = 0

    def add(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Open | Amend | Withdraw | Merge):
                self.decisions.append(decision)
            elif isinstance(decision, Ignore):
                self.not_opened.update((rule, str(decision.reason)) for rule in decision.rules)
            elif isinstance(decision, Late):
                self.late += 1


class EngineCells:
    """All cells of a running engine, as they were at the end of the last stretch of events. `ended`: how many did."""

    def __init__(self, stretch: int = STRETCH) -> None:
        self.cells: dict[str, bytes] = {}
        self.ended = 0
        self._stretch, self._since = stretch, 0

    def is_over(self, events: int) -> bool:
        """The engine took so many events more: whether the stretch is over."""
        self._since += events
        return self._since >= self._stretch

    @property
    def is_begun(self) -> bool:
        return self._since > 0

    def take(self, engine: Engine) -> dict[str, bytes | None]:
        """End the stretch: what changed in it."""
        changes = engine.take_changes()
        for key, value in changes.items():
            if value is None:
                self.cells.pop(key, None)
            else:
                self.cells[key] = value
        self.ended += 1
        self._since = 0
        return changes


class IndexWriter:
    """Writes the index of one run, beside it; the file is there once the run has ended.

    `kept`: the cells of the engine, which this takes.
    """

    def __init__(
        self, path: Path, key: str, rules: Sequence[Rule], stretch: int = STRETCH, state_every: int = STATE_EVERY
    ) -> None:
        """`stretch`: in events; `state_every`: in stretches.

        Raises OSError or sqlite3.Error where the file cannot be written.
        """
        self._state_every = state_every
        self.kept = EngineCells(stretch)
        self._path, self._partial = path, path.with_name(f"{path.name}.{os.getpid()}.partial")
        self._partial.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._partial, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)
        self._header = Header(FORMAT, key, {rule.name: card_of(rule) for rule in rules})
        self._digest, self._recorded = Digest(), Recorded()
        self._events = 0

    def took(self, engine: Engine, events: int, decisions: Sequence[Decision]) -> None:
        """The engine took so many events; takes its changes."""
        self._events += events
        self._recorded.add(decisions)
        if self.kept.is_over(events):
            self._end_stretch(engine)
            if self.kept.ended % self._state_every == 0:
                self._insert("states", zlib.compress(pack(self.kept.cells), 1))

    def _end_stretch(self, engine: Engine) -> None:
        self._digest.update(self.kept.take(engine))
        told, watermark = self._recorded, engine.watermark
        stretch = Stretch(
            events=self._events,
            watermark=BEGINNING if watermark is None else int(watermark),
            digest=self._digest.value,
            noted=self._digest.noted,
            made=tuple(sorted(engine.state.made)),
            decisions=tuple(told.decisions),
            not_opened=tuple((rule, reason, count) for (rule, reason), count in sorted(told.not_opened.items())),
            late=told.late,
        )
        self._insert("stretches", zlib.compress(pack(stretch), 1))
        engine.state.made.clear()
        self._recorded = Recorded()

    def _insert(self, table: str, body: bytes) -> None:
        number = self.kept.ended
        self._database.execute(f"INSERT INTO {table} VALUES (?, ?)", (number, body))  # noqa: S608 - two names of ours

    def before_end(self, engine: Engine) -> None:
        """The last event was taken; what the end itself decides is a stretch of its own."""
        if self.kept.is_begun:
            self._end_stretch(engine)

    def end(self, engine: Engine, decisions: Sequence[Decision]) -> None:
        self._recorded.add(decisions)
        self._end_stretch(engine)
        header = msgspec.structs.replace(self._header, events=self._events)
        self._database.execute("INSERT INTO header VALUES (?)", (pack(header),))
        self._database.close()
        self._partial.replace(self._path)

    def abandon(self) -> None:
        """The run failed: leave nothing behind."""
        self._database.close()
        self._partial.unlink(missing_ok=True)


class BacktestIndex:
    """A file that a whole run left behind."""

    def __init__(self, path: Path, key: str) -> None:
        """Raises IndexUnusable, with the reason why it does not serve."""
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            (body,) = self._database.execute("SELECT body FROM header").fetchone() or (b"",)
            self.header = unpack(body, Header)
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise IndexUnusable(f"it cannot be read: {error}") from error
        if self.header.format != FORMAT:
            raise IndexUnusable("another version of the program wrote it")
        if self.header.key != key:
            raise IndexUnusable("the events, the catalogue, the weights or the program are others now")
        rows = self._database.execute("SELECT body FROM stretches ORDER BY number")
        self.stretches = [unpack(zlib.decompress(body), Stretch) for (body,) in rows]
        """The last one is what the end decided."""
        self._states = {number for (number,) in self._database.execute("SELECT number FROM states")}

    def has_state(self, number: int) -> bool:
        """Whether the whole state after so many stretches is kept."""
        return number in self._states

    def state(self, number: int) -> dict[str, bytes]:
        (body,) = self._database.execute("SELECT body FROM states WHERE number = ?", (number,)).fetchone()
        return unpack(zlib.decompress(body), dict[str, bytes])

    def close(self) -> None:
        self._database.close()
