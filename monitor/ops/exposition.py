"""A registry of metrics, and its text for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
Registry = CollectorRegistry

# A second series for each counter that tells when it was created helps nobody here and doubles the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation there


def new_registry() -> Registry:
    """Empty, and its own."""
    return CollectorRegistry(auto_describe=True)


def watch_process(registry: Registry) -> None:
    """Add what the operating system says of this process."""
    ProcessCollector(registry=registry)


def text_of(registry: Registry) -> bytes:
    """In the text format (`CONTENT_TYPE`)."""
    return generate_latest(registry)
