"""The scripts behind `make setup` and `make test`: what they do on machines that lack something."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.files import ROOT

TOOLS = ("bash", "cat", "sed", "dirname", "head", "tail", "mktemp", "rm", "sha256sum", "grep", "env", "chmod")
JAVA_17 = "echo 'openjdk version \"17.0.1\" 2021-10-19' >&2"
JAVA_11 = "echo 'openjdk version \"11.0.1\" 2018-10-16' >&2"


class Machine:
    """A machine that has the tools of every system, and what a test puts beside them."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.log = folder / "calls"
        self.log.touch()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.programs / tool).symlink_to(found)
        self.has("id", 'echo "${FAKE_USER_ID:-1000}"')

    def has(self, name: str, script: str = "exit 0") -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def has_all_servers(self) -> None:
        for name in (
            "postgres",
            "chromium",
            "mvn",
            "prometheus-alertmanager",
            "prometheus-blackbox-exporter",
            "prometheus",
            "promtool",
        ):
            self.has(name)
        self.has("java", JAVA_17)

    def has_apt(self) -> None:
        """An apt-get that writes down how it was called and installs a program; it does not know Java 17."""
        new_java = self.log.with_name("new-java")
        new_java.write_text(f"#!/bin/bash\n{JAVA_17}\n", encoding="utf-8")
        self.has(
            "apt-get",
            f'echo "$*" >>"{self.log}"\n'
            'case "${@: -1}" in\n'
            "openjdk-17*) exit 100 ;;\n"
            f'default-jre*) cat "{new_java}" >"{self.programs}/java" ;;\n'
            f'maven) echo >"{self.programs}/mvn"; chmod +x "{self.programs}/mvn" ;;\n'
            "esac",
        )

    def run(self, script: str, root: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(root / "scripts" / script)],
            env={"PATH": str(self.programs), **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_done_or_said_where_everything_is_there(machine: Machine) -> None:
    machine.has_all_servers()
    machine.has_apt()
    done = machine.run("system-packages.sh", FAKE_USER_ID="0")
    assert (done.returncode, done.stdout, done.stderr, machine.calls) == (0, "", "", [])


def test_what_is_missing_is_installed_for_the_administrator(machine: Machine) -> None:
    machine.has_all_servers()
    (machine.programs / "mvn").unlink()
    machine.has("java", JAVA_11)
    machine.has_apt()
    done = machine.run("system-packages.sh", FAKE_USER_ID="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "system packages: installing openjdk-17-jre-headless maven\n"
    install = "install --yes --no-install-recommends"
    assert machine.calls == [
        "update",
        f"{install} openjdk-17-jre-headless",
        f"{install} default-jre-headless",
        f"{install} maven",
    ]


def test_another_user_is_told_in_one_line_what_to_install(machine: Machine) -> None:
    machine.has_all_servers()
    (machine.programs / "mvn").unlink()
    machine.has_apt()
    machine.has("sudo", "exit 1")
    done = machine.run("system-packages.sh")
    assert done.returncode == 1
    assert done.stderr == (
        "system packages: missing: maven (this user may not install packages); "
        "install them with: sudo apt-get install maven\n"
    )
    assert machine.calls == []


def test_a_user_who_may_become_administrator_without_a_password_installs(machine: Machine) -> None:
    machine.has_all_servers()
    (machine.programs / "mvn").unlink()
    machine.has_apt()
    machine.has("sudo", 'shift; "$@"')
    done = machine.run("system-packages.sh")
    assert done.returncode == 0, done.stderr
    assert machine.calls[0] == "update"


def test_an_installation_that_fails_says_what_apt_said(machine: Machine) -> None:
    machine.has_all_servers()
    (machine.programs / "mvn").unlink()
    machine.has("apt-get", 'echo "E: Unable to locate package maven"; exit 100')
    done = machine.run("system-packages.sh", FAKE_USER_ID="0")
    assert done.returncode == 1
    assert "missing: maven (apt-get said: E: Unable to locate package maven)" in done.stderr


def test_a_system_without_apt_is_told_what_it_needs(machine: Machine) -> None:
    machine.has_all_servers()
    (machine.programs / "chromium").unlink()
    done = machine.run("system-packages.sh", FAKE_USER_ID="0")
    assert done.returncode == 1
    assert "missing: chromium (this system has no apt-get)" in done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that has no .venv yet."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("requirements-dev.lock", "pyproject.toml", "scripts/setup.sh"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_setup_without_a_python_that_is_new_enough_says_so(machine: Machine, checkout: Path) -> None:
    machine.has("python3", "exit 1")
    done = machine.run("setup.sh", checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("setup: Python 3.11 or newer is needed and was not found; ")
    assert len(done.stderr.splitlines()) == 1


def test_setup_without_the_venv_module_says_what_to_install(machine: Machine, checkout: Path) -> None:
    machine.has("python3.12", 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo 3.12 ;; esac')
    done = machine.run("setup.sh", checkout)
    assert done.returncode == 1
    assert done.stderr.endswith("its venv module is missing; on Debian and Ubuntu: apt-get install python3.12-venv\n")


def test_setup_does_nothing_when_the_environment_is_up_to_date(machine: Machine, checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    machine.has("python", "exit 0")
    shutil.move(machine.programs / "python", checkout / ".venv" / "bin" / "python")
    files = ("requirements-dev.lock", "pyproject.toml", "scripts/setup.sh")
    everything = b"".join((checkout / name).read_bytes() for name in files)
    made = subprocess.run(["sha256sum"], input=everything, capture_output=True, check=True).stdout
    (checkout / ".venv" / ".made-from").write_bytes(made)
    done = machine.run("setup.sh", checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MUTANTS = "mutants MUTANTS=15 MUTANTS_IN=monitor/core/deciding MUTANTS_UNTIL=own MUTANTS_BAR=0.35 MUTANTS_ARGS=--once"
TESTS = "test PYTEST_ARGS=--outcomes=build/outcomes.json"


def test_continuous_integration_runs_the_tests_with_the_material_beside_it(tmp_path: Path, machine: Machine) -> None:
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    machine.has("timeout", 'shift 3; exec "$@"')
    machine.has("make", 'echo "$PWD $* $NEARMISS_PAYLOADS|$NEARMISS_CASES"; [ "$1" != test ] || exit 5')

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(folder / ".ci" / "run")],
            cwd=tmp_path,
            env={"PATH": os.fspath(machine.programs), "CI": "true"},
            capture_output=True,
            text=True,
            check=False,
        )

    alone = run()
    assert alone.returncode == 5
    assert alone.stdout.splitlines() == [
        f"{folder} {target} |"
        for target in ("setup", "measure MEASURE_ARGS=--days 42", "fuzz FUZZ_BODIES=10000", MUTANTS, TESTS)
    ]
    beside = tmp_path / "shared"
    for name in ("payloads", "cases", "cases-more"):
        (beside / name).mkdir(parents=True)
    (folder / ".venv" / "bin").mkdir(parents=True)
    command = folder / ".venv" / "bin" / "nearmiss"
    command.write_text('#!/bin/bash\necho "$*"\n', encoding="utf-8")
    command.chmod(0o755)
    material = f"{beside}/payloads|{beside}/cases:{beside}/cases-more"
    assert run().stdout.splitlines() == [
        f"{folder} setup {material}",
        f"evaluate {beside}/cases {beside}/cases-more",
        f"{folder} measure MEASURE_ARGS=--days 42 {material}",
        f"{folder} fuzz FUZZ_BODIES=10000 {material}",
        f"{folder} {MUTANTS} {material}",
        f"{folder} {TESTS} {material}",
    ]
