"""What the contract suites share: every implementation of a port runs through the same tests."""

from __future__ import annotations

from tests.support.postgres import postgres_server, postgres_url
from tests.support.stores import other, sqlite_template, sqlite_url, store, store_url

__all__ = ["other", "postgres_server", "postgres_url", "sqlite_template", "sqlite_url", "store", "store_url"]
