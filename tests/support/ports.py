"""Ports for servers that a test starts."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from random import SystemRandom

SERVER_PORTS = range(20_000, 32_000)
"""Below those that a system hands out to clients: one of those may be gone before a slow server has taken it."""
WORKERS = 8
"""Each worker chooses among ports of its own: what one has chosen is free until its server has started."""


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ones."""
    taken: list[int] = []
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with ExitStack() as stack:
        while len(taken) < count:
            port = SystemRandom().choice(SERVER_PORTS[worker % WORKERS :: WORKERS])
            try:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            taken.append(port)
    return taken
