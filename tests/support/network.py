"""A network of its own for one process, with a wire to each server that it needs: wires can be cut and joined again.

Linux only, and only root may. Knows how to lay wires; must not know what runs over them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

import pytest

_NETWORK = "10.{}.{}"
_BASE = 193
"""The second number of the addresses; the third is the number of the wire."""

_FETCH = """
import http.client, sys, urllib.parse
asked = urllib.parse.urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(asked.netloc, timeout=float(sys.argv[2]))
connection.request("GET", asked.path)
answer = connection.getresponse()
print(answer.status, answer.read().decode(), sep="\\n")
"""


class Wire:
    """One cable between this machine and the process. `here` is the address at our end."""

    def __init__(self, namespace: str, number: int) -> None:
        network = _NETWORK.format(_BASE, number)
        self.here, self._there = f"{network}.1", f"{network}.2"
        self._namespace = namespace
        self._ours, self._theirs = f"{namespace}a{number}", f"{namespace}b{number}"

    def lay(self) -> None:
        inside = ("ip", "-n", self._namespace)
        _run("ip", "link", "add", self._ours, "type", "veth", "peer", "name", self._theirs)
        _run("ip", "link", "set", self._theirs, "netns", self._namespace)
        _run("ip", "addr", "add", f"{self.here}/24", "dev", self._ours)
        _run(*inside, "addr", "add", f"{self._there}/24", "dev", self._theirs)
        _run("ip", "link", "set", self._ours, "up")
        _run(*inside, "link", "set", self._theirs, "up")

    def cut(self) -> None:
        """Whatever is sent from now on is lost, and nobody is told."""
        _run("ip", "link", "set", self._ours, "down")

    def join(self) -> None:
        _run("ip", "link", "set", self._ours, "up")


class Apart:
    """A network namespace with so many wires. Use it with `with`; `prefix` runs a command inside."""

    def __init__(self, wires: int) -> None:
        self._name = f"nm{os.getpid()}"
        self.prefix = ("ip", "netns", "exec", self._name)
        self.wires = [Wire(self._name, number) for number in range(wires)]

    def __enter__(self) -> Self:
        _run("ip", "netns", "add", self._name)
        try:
            _run("ip", "-n", self._name, "link", "set", "lo", "up")
            for wire in self.wires:
                wire.lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The wires go with the namespace that one of their ends lies in.
        _run("ip", "netns", "delete", self._name)


def skip_unless_possible() -> None:
    """Say that the test did not run, where this user or this kernel cannot make a network namespace."""
    why = ""
    if shutil.which("ip") is None:
        why = "the command ip is missing (install iproute2)"
    elif os.geteuid() != 0:
        why = "only root may make network namespaces"
    else:
        name = f"nmtry{os.getpid()}"
        tried = subprocess.run(("ip", "netns", "add", name), capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            wire = subprocess.run(
                ("ip", "-n", name, "link", "add", "x", "type", "veth", "peer", "name", "y"),
                capture_output=True,
                text=True,
                check=False,
            )
            subprocess.run(("ip", "netns", "delete", name), check=False)
            tried = wire
        if tried.returncode != 0:
            why = f"this machine makes no network namespaces with wires: {tried.stderr.strip()}"
    if why:
        pytest.skip(f"did not run: {why}")


def fetch_from_inside(prefix: Sequence[str], address: str, seconds: float) -> tuple[int, str] | None:
    """Status and body of what is served at an address inside; None while nobody answers."""
    command = (*prefix, sys.executable, "-c", _FETCH, address, str(seconds))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    status, _, body = done.stdout.partition("\n")
    return (int(status), body) if done.returncode == 0 else None


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
