"""What holds for every test: no settings from outside, no time limits on examples, and logs that stay quiet."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

from monitor.setting_hints import PREFIX
from monitor.settings import NOT_SETTINGS

# Machines differ in speed: an example that takes long is no failure. `-p deep` is for a night's search.
hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.register_profile("deep", deadline=None, print_blob=True, max_examples=5_000)
hypothesis.settings.register_profile("quick", deadline=None, print_blob=True, max_examples=10)
hypothesis.settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: else one worker is still busy with a broker when the other has nothing left."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("kafka", "faults")))


@pytest.fixture(scope="module", autouse=True)
def what_went_before_is_not_collected_again() -> None:
    """A worker holds more and more as it goes: each collection of a law late in the run would walk through it all."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in os.environ if name.startswith(PREFIX) and name not in NOT_SETTINGS - {"NEARMISS_DEBUG"}
    ]:
        monkeypatch.delenv(name)


@pytest.fixture
def unconfigured_logs() -> Iterator[None]:
    """As if nobody had set logging up yet; afterwards as it was before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests took down with `record_property`, beside their names."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} = {value}")
