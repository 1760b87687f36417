"""Fixtures that give a test the store on SQLite and on PostgreSQL, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.store.database import Store, open_store

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with all tables and nothing in them."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'nearmiss.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def other(store_url: str, store: Store) -> AsyncIterator[Store]:
    """The same database as another process sees it."""
    async with open_store(store_url) as opened:
        yield opened
