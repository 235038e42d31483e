"""Segments: a long list of them is read in pages."""

from __future__ import annotations

import pytest

from bot.web.console.screens import segments
from tests.campaigns.world import Town
from tests.console.conftest import Desk
from tests.console.test_campaigns import town as some_accounts

town = some_accounts  # the fixture, under its own name


async def test_a_long_list_of_segments_comes_in_pages_that_leave_none_out(
        desk: Desk, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "PAGE", 2)
    await desk.as_role("biller")
    await desk.get("/console/segments")
    for name in ("a-one", "b-two", "c-three"):
        assert (await desk.post("/console/segments", {"name": name}))[0] == 303
    _, first = await desk.get("/console/segments")
    assert "b-two" in first and "c-three" not in first and '?after=b-two"' in first
    _, second = await desk.get("/console/segments?after=b-two")
    assert "c-three" in second and "a-one" not in second and "?after=c-three" not in second
