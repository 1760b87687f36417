"""What the store's integration tests share: real databases, with and without tables."""

from __future__ import annotations

from tests.support.postgres import empty_postgres_url, postgres_server, postgres_url
from tests.support.stores import other, sqlite_template, sqlite_url, store, store_url

__all__ = [
    "empty_postgres_url",
    "other",
    "postgres_server",
    "postgres_url",
    "sqlite_template",
    "sqlite_url",
    "store",
    "store_url",
]
