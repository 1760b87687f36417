"""Every number that can be set has a bound on both sides, and beyond it is refused in one line that helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import annotated_types
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from monitor.core.model.events import SECOND
from monitor.settings import BadSettings, Settings, load_settings

WITHOUT_LOWER = frozenset({"watch_every", "lateness", "future_tolerance"})
"""A duration is none where it is negative, so that zero is the least."""
UNITS = ("watch_every", "lateness", "future_tolerance", "step", "scrape", "every")
DAYS = ("retention.events", "retention.rejects", "retention.not_opened")
BESIDE = {
    "pull": "prometheus: 'http://prometheus:9090', preset: blackbox",
    "feeds": "service: checkout",
    "pulls": "tool: grafana, url: 'http://grafana:3000'",
}
LISTS = ("feeds", "pulls")


class Number(NamedTuple):
    """A setting that holds a number, with its bounds where it has them."""

    path: tuple[str, ...]
    least: float | None
    most: float | None

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def text(self, value: float) -> str:
        """As it may be written, in the unit that it needs; rounded away from what is allowed."""
        if self.name in DAYS:
            return f"{int(value) // (86_400 * SECOND) + 1}d"
        if self.path[-1] in UNITS:
            return f"{int(value) // SECOND + 1}s"
        if self.path[-1] == "floor":
            return f"{int(value) + 1} requests"
        return str(value)


def numbers(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Number]:
    for name, field in model.model_fields.items():
        inner = list(models(field.annotation))
        if inner:
            for each in inner:
                yield from numbers(each, (*path, name))
        elif is_number(field.annotation):
            yield Number((*path, name), bound(field, "ge", "gt"), bound(field, "le", "lt"))


def models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from models(part)


def is_number(kind: Any) -> bool:
    return kind in (int, float) or any(is_number(part) for part in get_args(kind))


def bound(field: FieldInfo, *names: str) -> float | None:
    found = [getattr(each, name) for each in field.metadata for name in names if hasattr(each, name)]
    assert all(isinstance(each, annotated_types.BaseMetadata) for each in field.metadata if hasattr(each, "le"))
    return found[0] if found else None


NUMBERS = list(numbers(Settings))


def refusal(path: tuple[str, ...], written: str, folder: Path) -> str:
    """The one line that is said of a file with this value."""
    *above, last = path
    lines = f"{last}: {written}"
    for name in reversed(above):
        lines = f"{name}: {{{', '.join(filter(None, (BESIDE.get(name), lines)))}}}"
        if name in LISTS:
            lines = lines.replace(": {", ": [{", 1) + "]"
    file = folder / "nearmiss.yaml"
    file.write_text(lines + "\n")
    with pytest.raises(BadSettings) as error:
        load_settings({"config": str(file)}, {})
    (line,) = error.value.problems
    assert line.startswith(f"{file}:1:"), line
    return line


def test_all_numbers_are_found() -> None:
    assert {"port", "lateness", "kafka.reject_limit", "feeds.pull.floor", "retention.events_size"} <= {
        each.name for each in NUMBERS
    }


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_each_number_has_bounds_and_beyond_them_a_line_with_a_hint(number: Number, tmp_path: Path) -> None:
    assert number.most is not None, "a number without an upper bound"
    assert number.least is not None or number.name in WITHOUT_LOWER, "a number without a lower bound"
    beyond = number.text(number.most) if number.text(number.most) != str(number.most) else str(number.most + 1)
    wrong = [beyond, "-1" if number.text(0) == "0" else "-1s", ".inf", "-.inf", ".nan", "9" * 5000, "1e400"]
    for written in wrong:
        line = refusal(number.path, written, tmp_path)
        assert "expected" in line, (written, line)
        assert "; try " in line, (written, line)
        assert len(line) < 6_000, written


@pytest.mark.parametrize("size", ["9" * 5000 + "KiB", "1025TiB", "1.5GiB", "-1MiB", "٣MiB"])
def test_a_size_that_cannot_be_is_told_in_our_words(size: str, tmp_path: Path) -> None:
    line = refusal(("engine_memory",), size, tmp_path)
    assert "expected" in line
    assert "digits" not in line
