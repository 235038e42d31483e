"""Fixtures of the scenarios: the sample practice on each database, and a server of processes to kill."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import PostgresqlServer, copy_sqlite
from tests.scenarios import sample
from tests.scenarios.serving import Server


@pytest.fixture(scope="session")
def sample_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the sample practice. Copy it."""
    url = copy_sqlite(sqlite_template, tmp_path_factory.mktemp("sample"))
    sample.fill(url)
    return sample.file_of(url)


@pytest.fixture(scope="session")
def sample_database(postgresql_server: PostgresqlServer) -> str:
    """The name of a PostgreSQL database with the sample practice. Copy it."""
    name = postgresql_server.create()
    sample.fill(postgresql_server.url(name))
    return name


@pytest.fixture
def sample_sqlite_url(sample_file: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(sample_file, tmp_path / 'plainbill.db')}"


@pytest.fixture
def sample_postgresql_url(postgresql_server: PostgresqlServer, sample_database: str) -> Iterator[str]:
    name = postgresql_server.create(sample_database)
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def sample_url(request: pytest.FixtureRequest) -> str:
    """The sample practice on each engine in turn."""
    url: str = request.getfixturevalue(f"sample_{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def sample_or_slow_url(request: pytest.FixtureRequest) -> str:
    """As ``sample_url``; PostgreSQL's turn is with the slow tests."""
    url: str = request.getfixturevalue(f"sample_{request.param}_url")
    return url


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Starts ``plainbill serve``."""
    made = Server()
    yield made
    made.close()
