"""Killed anywhere in an export, the next one ends with every letter in one run, and with whole files alone."""

from __future__ import annotations

import subprocess

import pytest

from bot import failpoints
from tests.mail.post import Post, files, manifest
from tests.road.forking import live_once

LETTERS = 3


def run(process: subprocess.Popen[str], url: str, post: Post, failpoint: str = "") -> int:
    return live_once(process, {"url": url, "now": post.house.clock().isoformat(), "folder": str(post.folder),
                               "failpoint": failpoint})


@pytest.mark.parametrize("failpoint", failpoints.MAIL)
def test_killed_at_any_point_each_letter_is_printed_once(
        post: Post, database_url: str, process: subprocess.Popen[str], failpoint: str) -> None:
    lines = [post.demand(post.account(n)) for n in range(LETTERS)]
    assert run(process, database_url, post, failpoint) == -9
    whole = files(post.folder / "mail-0001") if (post.folder / "mail-0001").exists() else {}
    post.export()
    after = files(post.folder)
    assert post.export().runs == ()
    assert files(post.folder) == after and not [name for name in after if ".part" in name]
    assert not whole or {f"mail-0001/{name}": data for name, data in whole.items()} == after
    assert [row["letter"] for row in manifest(post.folder / "mail-0001")] == [f"1-{n + 1}" for n in range(LETTERS)]
    assert [path.name for path in post.folder.iterdir()] == ["mail-0001"]
    assert {post.message(line).status for line in lines} == {"sent"}
