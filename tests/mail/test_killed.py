"""Killed anywhere in an export, the next one ends with every letter in one run, and with whole files alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import failpoints
from tests.mail.post import Post, files, manifest

ROOT = Path(__file__).parents[2]
LETTERS = 3


def run(url: str, post: Post, failpoint: str = "") -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLAINBILL_FAILPOINT": failpoint}
    command = [sys.executable, "-m", "tests.mail.killed", url, post.house.clock().isoformat(), str(post.folder)]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True).returncode


@pytest.mark.parametrize("failpoint", failpoints.MAIL)
def test_killed_at_any_point_each_letter_is_printed_once(post: Post, database_url: str, failpoint: str) -> None:
    lines = [post.demand(post.account(n)) for n in range(LETTERS)]
    assert run(database_url, post, failpoint) == -9
    whole = files(post.folder / "mail-0001") if (post.folder / "mail-0001").exists() else {}
    post.export()
    after = files(post.folder)
    assert post.export().runs == ()
    assert files(post.folder) == after and not [name for name in after if ".part" in name]
    assert not whole or {f"mail-0001/{name}": data for name, data in whole.items()} == after
    assert [row["letter"] for row in manifest(post.folder / "mail-0001")] == [f"1-{n + 1}" for n in range(LETTERS)]
    assert [path.name for path in post.folder.iterdir()] == ["mail-0001"]
    assert {post.message(line).status for line in lines} == {"sent"}
