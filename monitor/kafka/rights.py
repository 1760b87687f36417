"""Asks a broker what this user may do with topics, by the one request that tells it without trying.

Knows the wire format of that request, which the client library does not have; nothing of what the rights are for.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_API = 3
_VERSION = 8
_NOT_TOLD = -(2**31)


class Right(StrEnum):
    """What one may do with a topic."""

    READ = "Read"
    WRITE = "Write"
    DESCRIBE = "Describe"


_BITS = {Right.READ: 3, Right.WRITE: 4, Right.DESCRIBE: 8}


async def rights_on(client: AIOKafkaClient, topics: Collection[str]) -> dict[str, frozenset[Right] | None]:
    """The rights on each topic that this user sees; None where the broker is too old to tell (before Kafka 2.3).

    Raises what the library raises for a broker that does not answer.
    """
    if not topics:
        return {}
    try:
        answer = await client.send(client.get_random_node(), _RightsRequest(sorted(topics)))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return dict.fromkeys(topics)
    found: dict[str, frozenset[Right] | None] = {}
    for topic in answer.to_object()["topics"]:
        told = topic["authorized_operations"]
        if topic["error_code"] == 0:
            found[topic["topic"]] = (
                None if told == _NOT_TOLD else frozenset(right for right, bit in _BITS.items() if told >> bit & 1)
            )
    return found


class _RightsResponse(Response):  # type: ignore[misc]  # the library has no types
    API_KEY = _API
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _RightsStruct(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = _API
    API_VERSION = _VERSION
    RESPONSE_TYPE = _RightsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _RightsRequest(Request[_RightsStruct]):  # type: ignore[misc]  # as above
    API_KEY = _API

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_RightsStruct]) -> Any:
        return request_struct_class(self._topics, False, False, True)
