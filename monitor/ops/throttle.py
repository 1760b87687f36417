"""Slows guessing down: each key may fail a few times at once, and then now and then.

Knows keys such as an address or an account, not what is guessed. What proved itself is never slowed.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from typing import Protocol

_MOST_KEYS = 4096
_MOST_KNOWN = 1024
_PREFIX = 64
"""Bits of an IPv6 address that one customer is given at least."""


class _Monotonic(Protocol):
    def monotonic(self) -> float: ...


class Throttle:
    """`burst` failures of a key at once, then one in `every` seconds. The keys that failed longest ago are evicted."""

    def __init__(self, clock: _Monotonic, burst: int, every: float) -> None:
        self._clock = clock
        self._burst = burst
        self._every = every
        self._free_at: OrderedDict[str, float] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until one more try is looked at; 0: now."""
        now = self._clock.monotonic()
        room = (self._burst - 1) * self._every
        return max(0.0, *(self._free_at.get(key, now) - now - room for key in keys))

    def failed(self, *keys: str) -> None:
        now = self._clock.monotonic()
        for key in keys:
            self._free_at[key] = max(self._free_at.get(key, now), now) + self._every
            self._free_at.move_to_end(key)
            if len(self._free_at) > _MOST_KEYS:
                self._free_at.popitem(last=False)

    def passed(self, proof: str) -> None:
        """Remember what proved itself, by its hash."""
        self._known[_digest(proof)] = None
        self._known.move_to_end(_digest(proof))
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def is_known(self, proof: str) -> bool:
        return _digest(proof) in self._known


def network_of(address: str) -> str:
    """The key for an address: itself, or of IPv6 the network that somebody can take any address of."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, _PREFIX), strict=False))


def _digest(proof: str) -> bytes:
    return hashlib.sha256(proof.encode("utf-8", "surrogateescape")).digest()
