"""The files as text: sections with comments, and what was found anew put into a file that is there already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import unified_diff

import msgspec

from monitor.located.flow import said
from monitor.shop.found import FoundService


class FileSection(msgspec.Struct, frozen=True):
    """A top-level key of a file, what is said about it, and its lines, indented by two.

    `is_scalar`: the one line is the key with its value.
    """

    key: str
    about: str
    lines: tuple[str, ...]
    is_scalar: bool = False


def service_line(service: FoundService, known: Sequence[str]) -> str:
    """`  checkout: {user_facing: true, …}  # found in …`; dependencies on what nobody knows are left out."""
    parts = ["user_facing: true"] if service.user_facing else []
    if needed := sorted(service.depends_on & set(known)):
        parts.append(f"depends_on: [{', '.join(map(said, needed))}]")
    if service.owner:
        parts.append(f"owner: {said(service.owner)}")
    if service.namespace:
        parts.append(
            f"aliases: {{namespaces: [{said(service.namespace)}]}}" if service.namespace == service.name else ""
        )
    return f"  {said(service.name)}: {{{', '.join(filter(None, parts))}}}  # found in {service.told_by}"


def merged(before: str | None, head: str, sections: Sequence[FileSection]) -> tuple[str, list[str]]:
    """The new text, and lines that found no place: their key is there in a form that cannot be added to.

    `before`: the file as it is, in which nothing is changed or removed; None where there is none.
    """
    if before is None:
        parts = [head]
        parts += [
            _comment(each.about) + "".join(f"{line}\n" for line in _whole(each, each.lines))
            for each in sections
            if each.lines
        ]
        return "\n".join(parts), []
    lines, left = before.splitlines(), []
    for each in sections:
        fresh = [line for line in each.lines if line.strip() not in {one.strip() for one in lines}]
        if not fresh:
            continue
        place = next((number for number, line in enumerate(lines) if re.match(rf"{each.key}\s*:", line)), None)
        if place is None:
            lines += ["", *_comment(each.about).splitlines(), *_whole(each, fresh)]
        elif each.is_scalar:
            left += fresh
        elif re.fullmatch(rf"{each.key}\s*:\s*(#.*)?", lines[place]):
            lines[place + 1 : place + 1] = fresh
        else:
            left += [f"{each.key}:", *fresh]
    return "\n".join(lines) + "\n", left


def difference(name: str, before: str | None, after: str) -> str:
    """A unified diff; empty where nothing changes."""
    old = [] if before is None else before.splitlines(keepends=True)
    return "".join(
        unified_diff(old, after.splitlines(keepends=True), name if before is not None else "/dev/null", name)
    )


def _whole(section: FileSection, lines: Sequence[str]) -> Sequence[str]:
    """With the key; one whose lines are all comments is one too: without a value it would be wrong."""
    if section.is_scalar:
        return lines
    is_comment = all(line.lstrip().startswith("#") for line in lines)
    return [f"# {section.key}:" if is_comment else f"{section.key}:", *lines]


def _comment(about: str) -> str:
    return "".join(f"# {line}\n" for line in about.splitlines())
