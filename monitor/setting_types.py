"""How the text of a setting becomes its value: durations, sizes, lists and paths. Knows no setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, IPvAnyNetwork, SecretStr

from monitor.located.form import DURATION_HELP, duration


class SettingsGroup(BaseModel):
    """Settings of one part.

    A field's example is what to try instead of a wrong value, `expected` what may stand there, unless its type says it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


_REQUESTS = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?) requests?", re.ASCII)
_SIZES = {
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)},
}
_MOST_DIGITS = 18
"""Of a number with a unit: the language refuses to read thousands of them, in words of its own."""


def _to_duration(value: object) -> object:
    if isinstance(value, str):
        found = duration(value)
        if found is None or found < 0:
            raise ValueError(f"expected {DURATION_HELP}")
        return found
    raise ValueError(f"expected {DURATION_HELP}, with its unit")


def _to_duration_or_none(value: object) -> object:
    return None if value is None or value == "null" else _to_duration(value)


def to_size(value: object) -> object:
    """A size in bytes from its text. Raises ValueError."""
    if not isinstance(value, str) or value.isdecimal():
        return value
    for unit, factor in _SIZES.items():
        number = value.removesuffix(unit).strip()
        if value.endswith(unit) and number.isdecimal() and len(number) <= _MOST_DIGITS:
            return int(number) * factor
    raise ValueError("expected a number of bytes, or one with a unit such as 512KiB or 2GiB")


def _to_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _to_roles(value: object) -> object:
    found = _to_list(value)
    if not found:
        raise ValueError("expected at least one of ingest, engine and review")
    return found


def _to_paths(value: object) -> object:
    return (value,) if isinstance(value, Path) else _to_list(value)


def _to_requests(value: object) -> object:
    found = _REQUESTS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a number of requests in five minutes; try floor: 30 requests")
    return float(found["number"])


def _not_everybody(value: tuple[IPvAnyNetwork, ...]) -> tuple[IPvAnyNetwork, ...]:
    for network in value:
        if network.prefixlen == 0:
            raise ValueError(f"{network} is every address there is: anyone could say what only the proxy may say")
    return value


def _not_blank(value: SecretStr) -> SecretStr:
    # A variable that is not set leaves an empty text behind, and with an empty key anyone can sign.
    if not value.get_secret_value().strip():
        raise ValueError("is empty; expected the secret, or no entry")
    return value


Microseconds = Annotated[int, BeforeValidator(_to_duration)]
Bytes = Annotated[int, BeforeValidator(to_size)]
Requests = Annotated[float, BeforeValidator(_to_requests)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_to_paths)]
KeptFor = Annotated[int | None, BeforeValidator(_to_duration_or_none)]
Roles = Annotated[tuple[Literal["ingest", "engine", "review"], ...], BeforeValidator(_to_roles)]
SourceNames = Annotated[tuple[str, ...], BeforeValidator(_to_list)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_to_list), AfterValidator(_not_everybody)]
Secret = Annotated[SecretStr, AfterValidator(_not_blank)]
SecretTexts = Annotated[tuple[SecretStr, ...], BeforeValidator(_to_list)]
