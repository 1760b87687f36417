"""Says whether the program is ready to serve: a set of named checks and one answer.

Knows neither what is checked nor the web: it gives a status code and a JSON body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from monitor.ops.logs import get_logger

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else one line that says what is not, for the operator's eyes."""

_log = get_logger("health")
_GOOD = "ok"


class HealthReport(msgspec.Struct, frozen=True):
    """Whether everything is ready, and each check's word: "ok" or what is wrong."""

    ready: bool
    checks: dict[str, str]

    @property
    def status(self) -> int:
        return 200 if self.ready else 503

    @property
    def body(self) -> bytes:
        return msgspec.json.encode({"ready": self.ready, "checks": self.checks})


class Readiness:
    """Named checks, run together at each question; one that takes longer than `timeout` seconds has failed."""

    def __init__(self, timeout: float = 2.0) -> None:
        self._timeout = timeout
        self._checks: dict[str, Check] = {}
        self._remarks: set[str] = set()

    def add(self, name: str, check: Check, *, is_remark: bool = False) -> None:
        """A remark is told and does not count: the program can serve all the same.

        Raises ValueError when the name is taken.
        """
        if name in self._checks:
            raise ValueError(f"a readiness check named {name} exists already: give each check a name of its own")
        self._checks[name] = check
        if is_remark:
            self._remarks.add(name)

    async def report(self) -> HealthReport:
        """Run all checks. Never raises: a check that fails by an error is not ready, and the error is logged."""
        words = await asyncio.gather(*(self._run(name, check) for name, check in self._checks.items()))
        checks = dict(zip(self._checks, words, strict=True))
        return HealthReport(all(word == _GOOD for name, word in checks.items() if name not in self._remarks), checks)

    async def _run(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                return await check() or _GOOD
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"
        except Exception as error:  # noqa: BLE001  # whatever breaks in a check, the answer is: not ready
            _log.warning("readiness_check_failed", check=name, exc_info=error)
            # The error's text may hold an address or a password: the answer names its type only.
            return f"failed with {type(error).__name__}"
