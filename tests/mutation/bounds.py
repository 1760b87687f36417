"""Ends a process whose fault makes it run for ever or fill the memory; what else the machine does ends none."""

from __future__ import annotations

import resource

LONGEST = 400.0
"""Seconds of the processor for all tests of a stage."""
MOST_BYTES = 4 * 1024**3


def bound_to(seconds: float) -> None:
    """This process ends after so much time of the processor, and gets no more than so much memory."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
