"""Fixtures that give a test the store on SQLite and on PostgreSQL, one after the other."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.store.database import Store, open_store
from monitor.store.migrations import upgrade

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a database that has all tables: to copy them is quicker than to migrate."""
    folder = tmp_path_factory.mktemp("sqlite-template")
    asyncio.run(upgrade(f"sqlite:///{folder / 'nearmiss.db'}"))
    return folder


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database with all tables and nothing in them."""
    shutil.copytree(sqlite_template, tmp_path, dirs_exist_ok=True)
    return f"sqlite:///{tmp_path / 'nearmiss.db'}"


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest) -> str:
    """A database with all tables and nothing in them."""
    return str(request.getfixturevalue(f"{'postgres' if request.param == 'postgresql' else 'sqlite'}_url"))


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def other(store_url: str, store: Store) -> AsyncIterator[Store]:
    """The same database as another process sees it."""
    async with open_store(store_url) as opened:
        yield opened
