"""The tools that a mapping reads are known to whoever imports the registry, not to the commands alone."""

from __future__ import annotations

import subprocess
import sys

_READS = 'from monitor.decode.registry import SOURCES; assert {"zabbix", "newrelic", "grafana-oncall"} <= SOURCES'


def test_a_script_of_somebody_else_knows_them() -> None:
    assert subprocess.run([sys.executable, "-c", _READS], check=False).returncode == 0
