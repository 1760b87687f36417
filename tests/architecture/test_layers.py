"""Imports point down only, and every library has its home: the contracts of pyproject.toml hold, and can fail."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.files import ROOT, python, text

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# `_typeshed` exists for type checkers only.
ALLOWED_IN_CORE = {"msgspec", "monitor", "__future__", "_typeshed"} | set(sys.stdlib_module_names)
IMPURE = {"asyncio", "socket", "subprocess", "threading", "multiprocessing", "os", "random", "secrets", "time", "uuid"}

PURE = {"decode/sns.py": {"cryptography"}}
"""Libraries that compute and do nothing else, each where it is needed."""
USED_WITHOUT_IMPORT = {
    "aiosqlite": "SQLAlchemy loads it for sqlite addresses",
    "cramjam": "aiokafka loads it for compressed messages",
    "python-multipart": "FastAPI loads it to read forms",
}


def imported(path: Path) -> set[str]:
    """The top names of everything that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text(path) or "")):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def lint_imports(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return subprocess.run(
        [*command, "--no-cache", "--config", str(config)], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_contracts_hold() -> None:
    done = lint_imports(ROOT, ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/deciding/engine.py", "import monitor.ops", "Imports point down only"),
        ("core/model/a.py", "import monitor.core.deciding", "The core's packages import those below them only"),
        ("packs/language/a.py", "import monitor.packs.advice", "What reads the files of operators"),
        ("store/a.py", "import monitor.kafka", "Imports point down only"),
        ("core/deciding/engine.py", "import structlog", "structlog: in ops only"),
        ("review/a.py", "import sqlalchemy.orm", "sqlalchemy: in store only"),
        ("pipeline/a.py", "import aiokafka", "aiokafka: in kafka only"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """Contracts that cannot fail prove nothing: they are tried on a small copy with one import too many."""
    for name in {path.parts[1] for path in python("monitor")}:
        write(tmp_path / "monitor" / name / ("" if name.endswith(".py") else "__init__.py"), "")
    for name in {path.parts[2] for path in python("monitor") if path.parts[1] == "core" and len(path.parts) > 3}:
        write(tmp_path / "monitor" / "core" / name / "__init__.py", "")
    for path in (path for path in python("monitor") if path.parts[1] in ("app", "packs")):
        write(tmp_path / path, "")
    write(tmp_path / "monitor" / "__init__.py", "")
    write(tmp_path / "monitor" / module, line)
    config = text(Path("pyproject.toml")) or ""
    kept = config[config.index("[tool.importlinter]") :]
    # In the small copy nobody uses what the real homes use.
    write(
        tmp_path / "pyproject.toml",
        kept.replace("allow_indirect", 'unmatched_ignore_imports_alerting = "none"\nallow_indirect'),
    )
    done = lint_imports(tmp_path, tmp_path / "pyproject.toml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(contract in report and "BROKEN" in report for report in done.stdout.splitlines()), done.stdout


def write(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n", encoding="utf-8")


@pytest.mark.parametrize("path", python("monitor"), ids=str)
def test_core_and_decoders_are_pure(path: Path) -> None:
    if path.parts[1] not in ("core", "decode"):
        return
    assert imported(path) <= ALLOWED_IN_CORE | PURE.get("/".join(path.parts[1:]), set())
    assert not imported(path) & IMPURE


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    declared = {_name(requirement) for requirement in CONFIG["project"]["dependencies"]}
    distributions = packages_distributions()
    used: set[str] = set()
    for path in python("monitor"):
        for name in imported(path) - ALLOWED_IN_CORE | ({"msgspec"} & imported(path)):
            used |= {_name(each) for each in distributions.get(name, [name])}
    # Starlette is FastAPI's foundation and comes with it, in the version that it wants.
    used -= {"starlette"}
    assert used <= declared, "imported, and not among the dependencies"
    assert declared - used == set(USED_WITHOUT_IMPORT), "dependencies that nothing imports, or stale exceptions"


def _name(requirement: str) -> str:
    for mark in "[<>=!~; ":
        requirement = requirement.partition(mark)[0]
    return requirement.strip().lower().replace("_", "-")
