"""Which files belong to the project, for the tests about the project itself."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".venv", ".git", "__pycache__", "node_modules", "build", "dist", "var"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project, relative to its root: what git tracks or would track; where there is no git, all."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return tuple(Path(name) for name in names if (ROOT / name).is_file())
    return tuple(
        path.relative_to(ROOT)
        for path in ROOT.rglob("*")
        if path.is_file() and not _NOT_OURS & set(path.relative_to(ROOT).parts)
    )


def python(*folders: str) -> list[Path]:
    """Tracked Python files, in these top folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders]


def text(path: Path) -> str | None:
    """The text of a file, or None for one that is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
