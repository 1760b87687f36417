"""What holds for every test: the same examples each time, an end, no settings from outside, and quiet logs."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_timeout
import structlog
from hypothesis.internal.conjecture import engine

from monitor.setting_hints import PREFIX
from tests.support.outcomes import Outcomes

# Machines differ in speed: an example that takes long is no failure. The examples of a run follow from the text of the
# law, so that a run tells about the change and not about luck; `deep`, of `make laws`, draws new ones each time.
# The first failure is told and not explained: that tries hundreds of examples more, each as slow as the law.
PHASES = [phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain]
hypothesis.settings.register_profile(
    "default", deadline=None, print_blob=True, derandomize=True, phases=PHASES, report_multiple_bugs=False
)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("default"), max_examples=10)
hypothesis.settings.register_profile(
    "deep", deadline=None, print_blob=True, max_examples=1_000, phases=PHASES, report_multiple_bugs=False
)
hypothesis.settings.load_profile("default")

# Hypothesis shrinks for five minutes, and no setting says less: as long as a test may take, which then fails without
# its example.
SHRINKING = 30
engine.MAX_SHRINKING_SECONDS = SHRINKING
AGAIN = 60
"""Seconds after a test's time is over until it is interrupted again: something may have caught the exception."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, help="file to write, at the end of the run, what failed")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--outcomes")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path))


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> Iterator[None]:
    """Interrupt more than once, and end the process where that does not help, as in a call of C."""
    result = yield
    again = min(AGAIN, settings.timeout)
    if settings.method == "signal":
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, again)
    faulthandler.dump_traceback_later(settings.timeout + 8 * again, exit=True, file=sys.__stderr__ or sys.stderr)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> Iterator[None]:
    faulthandler.cancel_dump_traceback_later()
    return (yield)


def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """A test that failed has yet to be torn down: the plugin stops its timer here, as for a debugger."""
    if isinstance(node, pytest.Item) and not node.config.getoption("usepdb"):
        settings = pytest_timeout._get_item_settings(node)
        if settings.timeout:
            node.ihook.pytest_timeout_set_timer(item=node, settings=settings)


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
    given = [name for name in os.environ if name.startswith(PREFIX)]
    if not given:
        return
    # Loads every part of the service: a second for a process that runs one small test.
    from monitor.settings import NOT_SETTINGS

    for name in given:
        if name not in NOT_SETTINGS - {"NEARMISS_DEBUG"}:
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
