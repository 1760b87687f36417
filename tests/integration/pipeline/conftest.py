"""What the tests of the engine's loop share: the store on both databases."""

from __future__ import annotations

from tests.support.postgres import postgres_server, postgres_url
from tests.support.stores import other, sqlite_template, sqlite_url, store, store_url

__all__ = ["other", "postgres_server", "postgres_url", "sqlite_template", "sqlite_url", "store", "store_url"]
