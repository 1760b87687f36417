"""The files of YAML at a path: a file itself, or a directory tree without what is hidden."""

from __future__ import annotations

from pathlib import Path

from monitor.located.problems import Place, Problems

SUFFIXES = frozenset({".yaml", ".yml"})
MOST_FILES = 5_000


def find_files(path: Path, problems: Problems, what: str = "rule") -> list[Path]:
    """The files of rules (or of `what` else) at a path, in the order of their names; a problem where there are none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        expected = f"a {what} file or a directory of them"
        problems.error(Place(str(path)), "there is no such file or directory", expected, "checking the path")
        return []
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        problems.error(Place(str(path)), f"no {what} file here", "files that end in .yaml", "another directory")
    if len(found) > MOST_FILES:
        hint = f"the directory of the {what} files"
        problems.error(Place(str(path)), f"{len(found)} files", f"at most {MOST_FILES}", hint)
        return []
    return found
