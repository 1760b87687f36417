"""Writes the generated parts of the reference pages from the program; `--check` only says what is stale.

A page holds its table between two marks; what is written around them stays.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from prometheus_client.metrics_core import Metric
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.app.metrics import Metrics
from monitor.chat.settings import TeamSettings
from monitor.cli.main import COMMANDS, cli
from monitor.core.model.events import KINDS
from monitor.decode.registry import tools
from monitor.decode.signatures import TOKEN
from monitor.decode.tool import Tool
from monitor.located.checks import MEANINGS
from monitor.located.form import say_duration
from monitor.packs.language import keys
from monitor.packs.language.keys import OPERATOR_WORDS
from monitor.packs.language.schema import DERIVED
from monitor.packs.mappings import keys as mapping_keys
from monitor.review.exports.document import RecordDocument
from monitor.review.sign_in.settings import AccessSettings, AccountSettings, OidcSettings, ProxySettings
from monitor.setting_hints import PREFIX
from monitor.settings import DURATIONS, Settings, groups

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
from scripts import vocabulary  # noqa: E402 - started as a file, the directory of the other scripts is not on the path

BEGIN = "<!-- generated: make docs -->"
END = "<!-- end of what is generated -->"


def record_schema() -> str:
    """The schema of an exported record."""
    return f"```json\n{json.dumps(RecordDocument.model_json_schema(), indent=1)}\n```"


def metrics_table() -> str:
    """One line a metric, in the order of the catalogue."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for family in Metrics(sources=["SOURCE"], rules=["RULE"]).registry.collect():
        if family.name.startswith("nearmiss_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            rows.append(f"| `{name}` | {family.type} | {_labels(family)} | {family.documentation} |")
    return "\n".join(rows)


def _labels(family: Metric) -> str:
    values: dict[str, list[str]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            known = values.setdefault(label, [])
            if label != "le" and value not in known:
                known.append(value)
    values.pop("le", None)
    if family.name in ("nearmiss_build_info", "nearmiss_pack_info"):
        return ", ".join(f"`{label}`" for label in values)
    return "; ".join(f"`{label}`: {', '.join(_label_value(each) for each in known)}" for label, known in values.items())


def _label_value(value: str) -> str:
    words = {"SOURCE": "each kind of source", "RULE": "each loaded rule"}
    return words.get(value, f"`{value}`")


def settings_table() -> str:
    """One line a setting; those of groups under their full name."""
    flags = {parameter.name: parameter.opts[0] for parameter in _command("run").params}
    rows = ["| setting | variable | flag | default | meaning |", "|---|---|---|---|---|"]
    for name, field in _settings():
        variable = PREFIX + name.upper().replace(".", "__")
        flag = f"`{flags[name]}`" if name in flags else ""
        rows.append(f"| `{name}` | `{variable}` | {flag} | {_default(name, field)} | {field.description} |")
    return "\n".join(rows)


def _settings() -> Iterator[tuple[str, FieldInfo]]:
    inner: dict[str, tuple[str, type[BaseModel]]] = {name: (name, group) for name, group in groups().items()}
    inner["accounts"] = ("accounts.NAME", AccountSettings)
    inner["oidc"] = ("oidc", OidcSettings)
    inner["proxy_login"] = ("proxy_login", ProxySettings)
    inner["group_access"] = ("group_access.GROUP", AccessSettings)
    for name, field in Settings.model_fields.items():
        if name not in inner:
            yield ("secrets.SOURCE" if name == "secrets" else name), field
            continue
        prefix, group = inner[name]
        for below, part in group.model_fields.items():
            if below != "teams":
                yield f"{prefix}.{below}", part
                continue
            for inside, each in TeamSettings.model_fields.items():
                yield f"{prefix}.teams.TEAM.{inside}", each


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", (), {}, PydanticUndefined) or not _is_plain(field.annotation):
        return ""
    return f"`{say_duration(value)}`" if name in DURATIONS else f"`{value}`"


def _is_plain(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_plain(each) for each in get_args(annotation))
    return annotation in (str, int, float, bool) or get_origin(annotation) is Literal


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise LookupError(f"there is no command {name}")
    return command


def commands_text() -> str:
    """A section for each command, in the order of the overview; those of a group below their group."""
    sections: list[str] = []
    for name in COMMANDS:
        sections += _sections(f"nearmiss {name}", _command(name), level=2)
    return "\n\n".join(sections)


def _sections(name: str, command: click.Command, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    about = (command.help or "").partition("\f")[0].strip()
    lines = [f"{'#' * level} {name}", "", f"    {usage}", "", *(line.strip() for line in about.splitlines())]
    records = [record for each in command.params if (record := each.get_help_record(context)) and record[1]]
    if records:
        lines += ["", "| option | meaning |", "|---|---|"]
        lines += [f"| `{_cell(option)}` | {_cell(meaning)} |" for option, meaning in records]
    yield "\n".join(lines)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            inner = command.get_command(context, below)
            if inner is not None:
                yield from _sections(f"{name} {below}", inner, level + 1)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def rules_tables() -> tuple[str, ...]:
    """The keys of a rule, of its parts and of an example, operators and derived facts, as the page has places."""
    operators = ["| operator | for | holds when |", "|---|---|---|"]
    operators += [
        f"| {' '.join(f'`{name}`' for name in known.names)} | {known.of} | {known.meaning} |"
        for known in OPERATOR_WORDS
    ]
    facts = ["| fact | type | meaning |", "|---|---|---|"]
    facts += [f"| `derived.{name}` | {of} | {meaning} |" for name, (of, meaning) in DERIVED.items()]
    return (
        _keys(keys.RULE),
        _keys(keys.IMPACT),
        _keys(keys.STEP),
        "\n".join(operators),
        "\n".join(facts),
        _keys(keys.INTERVENTION),
        _keys(keys.RELATIONS),
        _keys((*keys.BETWEEN, *keys.COUNTS)),
        _keys(keys.EXAMPLE),
    )


def _keys(table: tuple[keys.Key, ...]) -> str:
    rows = ["| key | | meaning |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| `{key.name}` | {key.default} | {key.meaning} |" for key in table)])


def mapping_tables() -> tuple[str, ...]:
    """The keys of a mapping and of its parts, as the page has places."""
    tables = (
        mapping_keys.MAPPING,
        mapping_keys.EVENT,
        mapping_keys.FIELDS,
        mapping_keys.VALUE,
        mapping_keys.TIME,
        mapping_keys.CONDITION,
        mapping_keys.SKIP,
        mapping_keys.SIGNATURE,
        mapping_keys.EXAMPLE,
    )
    return tuple(map(_keys, tables))


def tool_table() -> str:
    """One line a tool; those that are read by a mapping share the last one."""
    rows = ["| tool | address | reports |", "|---|---|---|"]
    rows += [f"| {_title(tool)} | `/ingest/{tool.name}` | {tool.tells} |" for tool in _ordered() if not tool.is_mapping]
    mapped = [f"`/ingest/{tool.name}`" for tool in _ordered() if tool.is_mapping]
    if mapped:
        rows.append(f"| by a [mapping](../how-to/write-a-mapping.md) | {', '.join(mapped)} | see each |")
    return "\n".join(rows)


def _title(tool: Tool) -> str:
    return f"[{tool.title}](#{_anchor(tool.title)})"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _ordered() -> list[Tool]:
    """By title, our own format last."""
    return sorted(tools(), key=lambda tool: tool.name == "events")


def tool_sections() -> str:
    """A section a tool: address, proof, kinds, set-up, sample and limits."""
    return "\n\n".join(_section(tool) for tool in _ordered())


def _section(tool: Tool) -> str:
    also = f", also {', '.join(f'`/ingest/{name}`' for name in tool.aliases)}" if tool.aliases else ""
    kinds = "every kind" if set(tool.kinds) == KINDS else ", ".join(f"`{kind}`" for kind in sorted(tool.kinds))
    about = f"- **Address:** `/ingest/{tool.name}`{also}\n- **Reports:** {tool.tells}\n"
    proof = "[a token](../how-to/webhooks.md#secrets)" if tool.scheme is TOKEN else tool.scheme.about
    about += f"- **Authentication:** {proof}\n- **Events:** {kinds}"
    head = [
        f"## {tool.title[:1].upper()}{tool.title[1:]}",
        about,
        tool.setup.strip(),
    ]
    given = ", ".join(f"`{kind}`" for kind in tool.sample.kinds)
    headers = "".join(f", with the header `{name}: {value}`" for name, value in tool.sample.headers.items())
    sample = f"A body for {given}{headers}:\n\n```json\n{tool.sample.body.strip()}\n```"
    limits = ["Limits:\n\n" + "\n".join(f"- {limit}" for limit in tool.limits)] if tool.limits else []
    return "\n\n".join([*head, sample, *limits])


def check_sections() -> str:
    """A section a check, named by its id so that a link to it stays."""
    return "\n\n".join(f"## {check}\n\n**{title}.** {why}" for check, (title, why) in MEANINGS.items())


GENERATED: dict[str, Callable[[], str | tuple[str, ...]]] = {
    "docs/reference/metrics.md": metrics_table,
    "docs/reference/settings.md": settings_table,
    "docs/reference/cli.md": commands_text,
    "docs/reference/rules.md": rules_tables,
    "docs/reference/mappings.md": mapping_tables,
    "docs/reference/vocabulary.md": vocabulary.page,
    "docs/reference/checks.md": check_sections,
    "docs/reference/record.md": record_schema,
    "docs/reference/tools.md": lambda: (tool_table(), tool_sections()),
}

FILES: dict[str, Callable[[], str]] = {
    "monitor/packs/advice/vocabulary.json": lambda: vocabulary.as_json(vocabulary.vocabulary()),
}
"""Generated as a whole."""


def renew(page: str, tables: str | tuple[str, ...]) -> str:
    """The page with the tables between its marks, in order. Raises ValueError where there are not as many marks."""
    rest, parts = page, []
    for table in (tables,) if isinstance(tables, str) else tables:
        before, begin, rest = rest.partition(BEGIN)
        _, end, rest = rest.partition(END)
        if not begin or not end:
            raise ValueError(f"the page has no place for what is generated: expected the lines {BEGIN} and {END}")
        parts.append(f"{before}{BEGIN}\n\n{table}\n\n{END}")
    if BEGIN in rest:
        raise ValueError("the page has a place for which nothing is generated")
    return "".join(parts) + rest


def main(arguments: list[str]) -> int:
    stale = []
    for name, generate in GENERATED.items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = renew(old, generate())
        if new != old:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    for name, whole in FILES.items():
        path, new = ROOT / name, whole()
        if not path.is_file() or path.read_text(encoding="utf-8") != new:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    if stale:
        print("stale:" if "--check" in arguments else "written:", ", ".join(stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
