"""What the service goes by now: rules, catalogue and own mappings, replaced as a whole or not at all.

Knows nothing of files; who puts another pack here has read and compiled it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import SECOND
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.decode.registry import use_own
from monitor.decode.tool import Tool
from monitor.ops.logs import get_logger
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import ActivePack, Clock

MOST_PROBLEMS = 50
"""Problems of one reading that are logged and shown; `nearmiss config check` prints all of them."""

_log = get_logger("pack")


class Pack(msgspec.Struct, frozen=True):
    """Rules and catalogue with the hashes of their content, and the weights of the evidence.

    `marks` tells the files that they were read from.
    """

    rules: Sequence[Rule]
    catalogue: Catalogue
    rules_hash: str
    catalogue_hash: str
    compiled: Matcher
    weights: Weights | None = None
    marks: Hashable = ()
    tools: Sequence[Tool] = ()
    tools_hash: str = ""

    def says_the_same(self, other: Pack) -> bool:
        return (self.rules_hash, self.catalogue_hash, self.tools_hash, self.weights) == (
            other.rules_hash,
            other.catalogue_hash,
            other.tools_hash,
            other.weights,
        )


class Current:
    """The pack in force, and what became of the last attempt to read another. `number` grows with each pack."""

    def __init__(self, pack: Pack, clock: Clock, metrics: PipelineMetrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self.number = 0
        self._take(pack)

    def put(self, pack: Pack) -> None:
        """From the next batch on the engines go by this pack."""
        self.number += 1
        self._take(pack)

    def _take(self, pack: Pack) -> None:
        self.pack = pack
        use_own(pack.tools)
        now = self._clock.now()
        self._status = ActivePack(
            rules_hash=pack.rules_hash,
            catalogue_hash=pack.catalogue_hash,
            rules=len(pack.rules),
            services=len(pack.catalogue.services),
            loaded_at=now,
        )
        self._metrics.know_rules(rule.name for rule in pack.rules)
        self._metrics.show_pack(pack.rules_hash, pack.catalogue_hash, now / SECOND)
        self._metrics.pack_last_reload_success.set(1)
        _log.info(
            "pack_active",
            rules_hash=pack.rules_hash,
            catalogue_hash=pack.catalogue_hash,
            rules=len(pack.rules),
            services=len(pack.catalogue.services),
            mappings=len(pack.tools),
        )

    def keep(self, problems: Sequence[str]) -> None:
        """What was read cannot be used, for these reasons: the pack in force stays."""
        self._metrics.pack_reload_failures.inc()
        self._metrics.pack_last_reload_success.set(0)
        self._status = msgspec.structs.replace(
            self._status, failed_at=self._clock.now(), problems=tuple(problems[:MOST_PROBLEMS])
        )
        for problem in problems[:MOST_PROBLEMS]:
            _log.error("pack_problem", problem=problem)
        _log.error(
            "pack_reload_failed", problems=len(problems), kept_rules=self.pack.rules_hash,
            kept_catalogue=self.pack.catalogue_hash,
        )  # fmt: skip

    def confirm(self, marks: Hashable) -> None:
        """What was read says the same as the pack in force."""
        self.pack = msgspec.structs.replace(self.pack, marks=marks)
        self._status = msgspec.structs.replace(self._status, failed_at=None, problems=())
        self._metrics.pack_last_reload_success.set(1)
        _log.info("pack_unchanged", rules_hash=self.pack.rules_hash, catalogue_hash=self.pack.catalogue_hash)

    @property
    def status(self) -> ActivePack:
        return self._status
