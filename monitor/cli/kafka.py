"""`nearmiss kafka`: looks at the cluster that events come from, as the service will use it, and changes nothing.

Knows how to show a survey; what is a problem is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence

import click
import msgspec

from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.kafka.bound_topics import JOURNAL
from monitor.kafka.settings import PLACES_OF_INTAKE, KafkaSettings
from monitor.kafka.survey import Finding, Grade, StoredTopics, TopicSeen, TopicSurvey, survey
from monitor.ports import OutdatedDatabase, Unavailable
from monitor.settings import Settings
from monitor.store.database import open_for_reading

_FAILED = 1


def kafka_of(settings: Settings) -> KafkaSettings:
    """The settings for Kafka. Raises click.UsageError when it is not used."""
    if not settings.kafka.is_used:
        raise click.UsageError(
            "Kafka is not used; expected kafka.bootstrap, kafka.topics and kafka.journal in the file of --config or as "
            "NEARMISS_KAFKA__… in the environment (docs/how-to/kafka.md)"
        )
    return settings.kafka


@click.group("kafka", cls=Group, short_help="Check the Kafka cluster.")
@with_settings_of_group
def group() -> None:
    """Check the Kafka cluster."""


@group.command("check", short_help="Check topics, permissions and lag.")
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_shared_settings
def check_command(settings: Settings, output: str) -> None:
    """Check whether the service can read and write its topics, and its lag.

    Checks connection, login, cluster, topics, partitions, permissions, codecs, halts, and lag behind the database;
    writes nothing. Exits 1 if the service could not work, 2 for wrong settings.
    """
    found, findings = asyncio.run(_look(kafka_of(settings), settings.database))
    findings = [*findings, *found.findings]
    is_good = not any(finding.grade is Grade.ERROR for finding in findings)
    if output == "json":
        click.echo(msgspec.json.encode(_plain(found, findings, is_good)))
    else:
        _show(found, findings)
    if not is_good:
        sys.exit(_FAILED)


async def _look(kafka: KafkaSettings, database: str) -> tuple[TopicSurvey, list[Finding]]:
    kept, findings = StoredTopics(), []
    try:
        async with open_for_reading(database) as store:
            kept = StoredTopics(
                _of_topics(await store.topics.positions(), shared=bool(kafka.canonical)),
                await store.topics.cluster(JOURNAL),
                tuple(await store.topics.halts()),
                await store.topics.known_spread(kafka.canonical) if kafka.canonical else None,
            )
    except OutdatedDatabase as error:
        findings.append(Finding(Grade.WARNING, "database", f"{error}; every topic would be read from its beginning"))
    except Unavailable as error:
        findings.append(Finding(Grade.ERROR, "database", f"{error}; the lag is not known"))
    return await survey(kafka, kept), findings


def _of_topics(positions: Mapping[str, int], *, shared: bool) -> dict[str, int]:
    """Where engines share a topic, whoever carries the others into it keeps their places apart."""
    if not shared:
        return dict(positions)
    return {name.removeprefix(PLACES_OF_INTAKE): position for name, position in positions.items()}


def _plain(found: TopicSurvey, findings: Sequence[Finding], is_good: bool) -> dict[str, object]:
    return {
        "ok": is_good,
        "cluster": found.cluster,
        "brokers": found.brokers,
        "codecs": found.codecs,
        "lag": sum(topic.lag for topic in found.topics if topic.decoder is not None),
        "topics": [{**msgspec.to_builtins(topic), "lag": topic.lag} for topic in found.topics],
        "findings": findings,
    }


def _show(found: TopicSurvey, findings: Sequence[Finding]) -> None:
    if found.cluster is not None:
        click.echo(f"cluster  {found.cluster}, {found.brokers} brokers; reads {', '.join(found.codecs)}")
    rows = [("TOPIC", "DECODER", "PARTITIONS", "REPLICAS", "RIGHTS", "MESSAGES", "LAG")]
    rows += [_row(topic) for topic in found.topics]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows if found.topics else []:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for finding in findings:
        click.echo(f"{finding.grade}: {finding.about}: {finding.what}")
    if not findings:
        click.echo("no problems found")


def _row(topic: TopicSeen) -> tuple[str, str, str, str, str, str, str]:
    is_new = all(each.position is None for each in topic.partitions)
    lag = f"{topic.lag}{' (never read)' if is_new else ''}"
    return (
        topic.topic,
        topic.decoder or "dead letters",
        str(len(topic.partitions)),
        str(topic.replicas),
        "?" if topic.rights is None else ",".join(topic.rights),
        str(sum(each.end - each.first for each in topic.partitions)),
        lag if topic.decoder is not None else "-",
    )
