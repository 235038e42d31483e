"""What is kept in the repository names no machine and no registry, and the locks pin everything."""

from __future__ import annotations

import re
import tomllib

from tests.architecture.source import ROOT, kept_files

# Written in pieces, so that this file does not find itself.
_PLACES = ("/wo" + "rk/", "/ro" + "ot/", "/opt/" + "wheels", "/opt/" + "pypi", "py" + "pi.org", "python" + "hosted.org",
           "registry." + "npmjs", "deb." + "debian")
_BINARY = (".pdf", ".png", ".jpg", ".db", ".woff2", ".npz")
_NAME = re.compile(r"^([A-Za-z0-9._-]+)")
_LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-training.lock")


def test_no_kept_file_names_a_place_of_some_machine_or_a_registry() -> None:
    wrong = []
    for path in kept_files():
        if path.suffix not in _BINARY:
            text = path.read_text("utf-8", errors="replace")
            wrong += [f"{path.relative_to(ROOT)}: {place}" for place in _PLACES if place in text]
    assert wrong == []


def test_the_locks_name_no_host_at_all() -> None:
    wrong = [name for name in _LOCKS if "://" in (ROOT / name).read_text("utf-8")]
    assert wrong == []


def test_every_locked_package_has_a_version_and_a_hash() -> None:
    for name in _LOCKS:
        entries = re.split(r"\n(?=\S)", (ROOT / name).read_text("utf-8").strip())
        wrong = [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
        assert wrong == []


def test_the_locks_hold_every_dependency_that_pyproject_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for lock, names in zip(_LOCKS, ((), ("dev", "browser"), ("training",)), strict=True):
        wanted = project["dependencies"] + [one for name in names for one in extras[name]]
        locked = {_key(line) for line in (ROOT / lock).read_text("utf-8").splitlines() if line[:1].isalnum()}
        assert {_key(one) for one in wanted} - locked == set()


def test_no_secret_file_is_kept() -> None:
    assert [path.name for path in kept_files() if path.name == ".env" or path.suffix in (".pem", ".key")] == []


def _key(requirement: str) -> str:
    match = _NAME.match(requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[1]).lower()
