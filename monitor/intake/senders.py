"""Who may send as which source: secrets by canonical name, sources that are open by decision, and claimed sources.

Knows names and the configuration only; whether a secret was shown is the tool's scheme to tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from monitor.decode.reading import others_may_use, source_path
from monitor.decode.registry import ENVELOPES, UNTOUCHABLE, canonical_source, tool_of

EVENTS = "events"


class IntakeAccess(msgspec.Struct, frozen=True):
    """Keys are canonical names. A name without an entry of its own takes that of the nearest name above it.

    `secrets`: several of one source while one replaces the other. `is_local`: only this machine can reach the service.
    """

    secrets: Mapping[str, Sequence[str]] = {}
    open_sources: frozenset[str] = frozenset()
    is_local: bool = True

    @property
    def expected(self) -> frozenset[str]:
        """Tools that are set up to deliver. Programs that send events of their own name themselves."""
        return frozenset(name for name in {*self.secrets, *self.open_sources} if _vendor(name) not in UNTOUCHABLE)

    def secrets_of(self, source: str) -> Sequence[str]:
        """The secrets of which a delivery has to show one; none where the source needs none, or may not send."""
        return self.secrets.get(self._entry(source) or "", ())

    def refusal(self, source: str) -> str | None:
        """Why nobody may send as this source, whatever they show; None where somebody may."""
        if self._entry(source) is not None:
            return None
        hint = f"expected a secret in `secrets`, or the source in `open_sources`; {source!r} has neither"
        if self._vendor_has_secrets(source):
            return f"other accounts of {_vendor(source)} have secrets: {hint}"
        return None if self.is_local else f"the service can be reached from other machines: {hint}"

    def may_carry(self, door: str, claimed: str) -> bool:
        """Whether an event that came in as `door` may name `claimed` as its source.

        Not where that is ours, nor where it has secrets that the sender did not have to show. Who showed the secret of
        one account may name that account and what is below it.
        """
        if not others_may_use(claimed):
            return False
        named = source_path(claimed)
        proved = self._entry(door)
        tool = tool_of(named[0]) if named else None
        if tool is not None:
            source = "/".join([tool.name, *named[1:]])
            entry = self._entry(source)
            is_guarded = entry in self.secrets if entry is not None else self._vendor_has_secrets(source)
            if source == door or (entry is not None and entry == proved):
                return True
            if is_guarded:
                return False
        elif not self._may_name_freely(door, proved):
            return False
        account = proved.partition("/")[2] if proved in self.secrets and proved is not None else ""
        return not account or f"{'/'.join(named)}/".startswith(f"{account}/")

    def is_proved(self, claimed: str) -> bool:
        """Whether an event that names `claimed` as its source came from who had to show a secret."""
        named = source_path(claimed)
        tool = tool_of(named[0]) if named else None
        return self._entry("/".join([tool.name, *named[1:]]) if tool is not None else EVENTS) in self.secrets

    def _may_name_freely(self, door: str, proved: str | None) -> bool:
        """Names of no tool are of programs that send events themselves: where those have a secret, it is wanted.

        An envelope has a door of its own, which counts where the configuration has it.
        """
        if _vendor(door) == EVENTS or not self._vendor_has_secrets(EVENTS):
            return True
        return proved is not None and _vendor(door) in ENVELOPES

    def _entry(self, source: str) -> str | None:
        """The nearest name that the configuration has: `a/b/c`, `a/b`, `a`."""
        while source:
            if source in self.secrets or source in self.open_sources:
                return source
            source = source.rpartition("/")[0]
        return None

    def _vendor_has_secrets(self, source: str) -> bool:
        return any(_vendor(name) == _vendor(source) for name in self.secrets)


def _vendor(source: str) -> str:
    return source.partition("/")[0]


def canonical_names(names: Sequence[str]) -> dict[str, str]:
    """The canonical name of each. Raises ValueError for a name that is none, or two that are one."""
    found: dict[str, str] = {}
    for name in names:
        canonical = canonical_source(name)
        if canonical is None:
            raise ValueError(f"{name!r} names no source; expected a tool, or a tool and an account: pagerduty/acme")
        if canonical in found.values():
            raise ValueError(f"{name!r} stands there twice, as {canonical!r}; expected each source once")
        found[name] = canonical
    return found
