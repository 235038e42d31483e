"""The clock of the reports, and commands as a user types them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.cli.conftest import plainbill
from tests.conftest import Clock

__all__ = ["clock", "plainbill"]


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2028, 3, 15, 15, 0, tzinfo=UTC))
