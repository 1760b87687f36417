"""Where a setting that is wrong was given, and what to try instead: how each may be written, as a flag, as a variable,
in the file.

Decides the words of a hint; must not know which settings are in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.packs.located import Listing, Node
from monitor.packs.located import Mapping as LocatedMapping
from monitor.packs.problems import nearest

PREFIX = "NEARMISS_"
"""Of the variables that are settings."""
OF_KIND = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "path_type": "a path",
    "dict_type": "names with values",
    "model_type": "names with values",
    "tuple_type": "a list",
}
"""What is expected in place of a value of another sort, by pydantic's name of the error."""

OF_FIELD = {
    "connections": "a whole number from 16 to 65536",
    "port": "a whole number from 0 to 65535",
    "trusted_proxies": "networks such as 10.0.0.0/8 or ::1",
    "database": "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
    "body_limit": "1KiB to 5MiB",
    "group_limit": "1KiB to 32MiB",
    "in_flight_limit": "at least 1MiB",
    "engine_memory": "at least 16MiB",
    "review_budget": "a whole number, 0 or more",
    "roles": "one or more of ingest, engine, review",
    "kafka.reject_limit": "a whole number, 0 or more",
    "retention.events": "at least 1d, or null",
    "retention.events_size": "at least 1MiB, or null",
    "retention.rejects": "at least 1d, or null",
    "retention.rejects_size": "at least 1MiB",
    "retention.not_opened": "at least 1d, or null",
}
"""What is expected of these settings, by name."""

SAMPLES = {
    "host": "127.0.0.1",
    "port": "8080",
    "database": "sqlite:///var/nearmiss.db",
    "rules": "rules",
    "weights": "weights.yaml",
    "mappings": "mappings",
    "catalogue": "catalogue.yaml",
    "watch_every": "5s",
    "config": "nearmiss.yaml",
    "roles": "ingest,engine,review",
    "log_format": "console",
    "log_level": "info",
    "lateness": "1m",
    "future_tolerance": "5m",
    "body_limit": "5MiB",
    "group_limit": "32MiB",
    "connections": "512",
    "in_flight_limit": "64MiB",
    "engine_memory": "512MiB",
    "review_budget": "3",
    "kafka.bootstrap": "kafka-1:9092",
    "kafka.topics": "ops.events=events",
    "kafka.journal": "ops.events",
    "kafka.canonical": "nearmiss.events",
    "kafka.dead_letter": "nearmiss.rejects",
    "kafka.reject_limit": "100",
    "kafka.on_lost_position": "stop",
    "kafka.group": "nearmiss",
    "kafka.security_protocol": "SASL_SSL",
    "kafka.sasl_mechanism": "SCRAM-SHA-512",
    "kafka.username": "nearmiss",
    "kafka.password": "THE-PASSWORD",
    "kafka.ca_file": "/etc/ssl/certs/ca-certificates.crt",
    "kafka.cert_file": "client.crt",
    "kafka.key_file": "client.key",
    "chat.address": "https://nearmiss.example.com",
    "chat.slack_token": "THE-TOKEN",
    "chat.slack_signing_secret": "THE-SECRET",
    "chat.slack_workspace": "T0123456789",
    "chat.slack_role": "reviewer",
    "chat.slack_deciders": "U0123456789",
    "chat.told_secret": "THE-SECRET",
    "chat.slack_api": "https://slack.com/api/",
    "retention.events": "90d",
    "retention.events_size": "500MiB",
    "retention.rejects": "90d",
    "retention.rejects_size": "256MiB",
    "retention.not_opened": "90d",
}
"""Of each setting with one value, how it may be written: what to try instead of a wrong one."""
SAMPLES_OF_MANY = {
    "pulls": "`pulls: [{tool: alertmanager, url: http://alertmanager:9093}]` in the file",
    "chat.slack_people": "`chat: {slack_people: {U0123456789: {access: reviewer}}}` in the file",
    "chat.teams": "`chat: {teams: {payments: {channel: C0123456789}}}` in the file",
    "feeds": "`feeds: [{service: checkout, pull: {prometheus: http://prometheus:9090, preset: blackbox}}]` in the file",
    "trusted_proxies": "`trusted_proxies: [10.0.0.0/8]` in the file",
    "open_sources": "`open_sources: [statuspage]` in the file",
    "oidc": "`oidc: {issuer: https://login.example.com, client_id: nearmiss, client_secret: …, address: https://nearmiss.example.com}`",
    "proxy_login": "`proxy_login: {networks: [10.0.0.7/32]}` in the file",
    "group_access": "`group_access: {sre: {access: reviewer}, payments: {teams: {payments: lead}}}` in the file",
    "accounts": "`accounts: {alex: {role: on-call, secret: sha256:…}}` in the file",
    "secrets": "`secrets: {pagerduty: [THE-SECRET]}` in the file",
}


def what_to_try(path: list[str], error: Any, where: str) -> str:
    """What to write instead, in the way in which it was given."""
    name = ".".join(path)
    if (many := next((each for each in (".".join(path[:2]), *path[:1]) if each in SAMPLES_OF_MANY), None)) is not None:
        return SAMPLES_OF_MANY[many]
    if error["type"] == "extra_forbidden":
        return "removing it"
    known = next((known for known in (name, ".".join(path[:2]), ".".join(path[:1])) if known in SAMPLES), None)
    if known is None:
        return "the page of settings in the reference, which has a whole file"
    sample = SAMPLES[known]
    if error["type"] == "literal_error":
        sample = nearest(str(error["input"]), _words(error)) or sample
    if where.startswith("--"):
        return f"`--{known.replace('_', '-')} {sample}`"
    if where.startswith(PREFIX):
        return f"`{PREFIX}{known.replace('.', '__').upper()}={sample}`"
    group, _, below = known.rpartition(".")
    return f"`{group}: {{{below}: {sample}}}`" if group else f"`{known}: {sample}`"


def _words(error: Any) -> list[str]:
    """The words that a setting may be."""
    return [word.strip(" '") for word in str(error["ctx"]["expected"]).replace(" or ", ",").split(",")]


def origin(path: list[str], flags: Mapping[str, Any], variables: Mapping[str, Any], node: Node | None) -> str:
    """Where a setting was given, for the beginning of a line: its flag, its variable, or its place in the file."""
    if not path:
        return ""
    if path[0] in flags:
        return f"--{path[0].replace('_', '-')}: "
    if _holds(variables, path):
        return f"{PREFIX}{'__'.join(path).upper()}: "
    place = None
    for step in path:
        if isinstance(node, Listing) and step.isdecimal() and int(step) < len(node.items):
            node = node.items[int(step)]
            place = node.place
            continue
        entry = node.entries.get(step) if isinstance(node, LocatedMapping) else None
        if entry is None:
            break
        place, node = entry[0].place, entry[1]
    return f"{place}: " if place else ""


def _holds(tree: Any, path: list[str]) -> bool:
    for step in path:
        if not isinstance(tree, Mapping):
            return True
        if step not in tree:
            return False
        tree = tree[step]
    return True
