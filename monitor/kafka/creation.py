"""Creates the topics that the monitor itself writes to, with a configuration that suits them; changes nothing there is.

Decides partitions, replicas and configuration; must not know what is written.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from monitor.kafka.connection import Connector
from monitor.kafka.errors import CreationRefused
from monitor.kafka.settings import KafkaSettings

DEFAULT_PARTITIONS = 6
DEFAULT_REPLICAS = 3
_DAY_MILLISECONDS = 86_400_000
_REFRESH = 300.0


class Planned(msgspec.Struct, frozen=True):
    """A topic as it should be."""

    topic: str
    partitions: int
    replicas: int
    config: dict[str, str]


class Created(msgspec.Struct, frozen=True):
    """What became of a planned topic: it is new, or it was there; `differs` says in what."""

    planned: Planned
    is_new: bool
    differs: tuple[str, ...] = ()


async def create_topics(
    settings: KafkaSettings,
    *,
    partitions: int = DEFAULT_PARTITIONS,
    replicas: int | None = None,
    dry_run: bool = False,
    timeout: float = 10.0,
) -> list[Created]:
    """Create what is missing of the journal's topic and the dead-letter topic.

    `replicas`: None takes three, or as many as there are brokers. With `dry_run` the broker only checks that it
    could be done. Raises CreationRefused, LoginRefused, Unavailable.
    """
    connector = Connector(settings, timeout, _REFRESH)
    async with connector.admin("to create topics") as admin:
        brokers = len((await admin.describe_cluster())["brokers"])
        count = min(DEFAULT_REPLICAS, brokers) if replicas is None else replicas
        described = {topic["topic"]: topic for topic in await admin.describe_topics()}
        done = []
        for plan in _plans(settings, partitions, count):
            if plan.topic in described:
                done.append(Created(plan, False, await _differences(admin, plan, described[plan.topic])))
            else:
                done.append(Created(plan, await _create(admin, plan, settings.bootstrap, dry_run)))
        return done


def _plans(settings: KafkaSettings, partitions: int, replicas: int) -> list[Planned]:
    common = {
        "cleanup.policy": "delete",
        # One replica may be away without writes being refused, and what was acknowledged lies on another one still.
        "min.insync.replicas": str(max(replicas - 1, 1)),
    }
    # Longer than any outage of the monitor: a position that retention removed is a gap in what was seen.
    journal = {**common, "retention.ms": str(14 * _DAY_MILLISECONDS), "max.message.bytes": str(2 * 1024**2)}
    dead = {**common, "retention.ms": str(30 * _DAY_MILLISECONDS)}
    plans = [Planned(settings.journal, partitions, replicas, journal)]
    if settings.dead_letter:
        plans.append(Planned(settings.dead_letter, 1, replicas, dead))
    return plans


async def _create(admin: AIOKafkaAdminClient, plan: Planned, bootstrap: str, dry_run: bool) -> bool:
    new = NewTopic(plan.topic, plan.partitions, plan.replicas, topic_configs=plan.config)
    answer = (await admin.create_topics([new], validate_only=dry_run)).to_object()
    for each in answer.get("topic_errors") or answer.get("topics") or ():
        error = for_code(each["error_code"])
        if error is TopicAlreadyExistsError:
            return False
        if error is not NoError:
            raise CreationRefused(bootstrap, plan.topic, each.get("error_message") or error.__name__)
    return True


async def _differences(admin: AIOKafkaAdminClient, plan: Planned, found: dict[str, Any]) -> tuple[str, ...]:
    differs = []
    if len(found["partitions"]) != plan.partitions:
        differs.append(f"partitions {len(found['partitions'])}, planned {plan.partitions}")
    replicas = min((len(each["replicas"]) for each in found["partitions"]), default=0)
    if replicas != plan.replicas:
        differs.append(f"replicas {replicas}, planned {plan.replicas}")
    resource = ConfigResource(ConfigResourceType.TOPIC, plan.topic, dict.fromkeys(plan.config, ""))
    for answer in await admin.describe_configs([resource]):
        for _, _, _, _, entries in answer.resources:
            for name, value, *_ in entries:
                if name in plan.config and value != plan.config[name]:
                    differs.append(f"{name} {value}, planned {plan.config[name]}")
    return tuple(differs)
