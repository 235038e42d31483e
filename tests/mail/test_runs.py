"""Letters for a mail house: each judged once more, each in exactly one run, each file what the manifest says."""

from __future__ import annotations

import hashlib
import io
import stat
from functools import partial

import pypdf
import pytest

from billing import addresses, mailing
from billing.mailing import MailRefused
from billing.store.practices import save_policy
from billing.store.tables import Guarantor
from bot import mailing as runs
from tests.conftest import maple_clinic
from tests.dunning.house import POLICY
from tests.mail.post import Post, files, manifest
from tests.payments.world import PRACTICE


async def test_a_letter_waits_for_a_run_and_no_worker_takes_it(post: Post) -> None:
    line = post.demand(post.account(1))
    assert (line.way, line.outcome, await post.deliver()) == ("paper", "queued", 0)
    assert post.message(line).status == "queued"


def test_the_manifest_says_what_is_in_each_file_and_where_it_goes(post: Post) -> None:
    lines = [post.demand(post.account(1)), post.demand(post.account(2, language="es"))]
    (run,) = post.export().runs
    rows = manifest(run.path)
    assert [row["letter"] for row in rows] == ["1-1", "1-2"] and sorted(row["language"] for row in rows) == ["en", "es"]
    for row in rows:
        data = (run.path / row["file"]).read_bytes()
        assert (row["sha256"], int(row["pages"])) == (hashlib.sha256(data).hexdigest(),
                                                      len(pypdf.PdfReader(io.BytesIO(data)).pages))
        assert [row[f"address_{n}"] for n in (1, 2, 3)] == [row["address_1"], "Apt 9", "Albany, NY 12207"]
    assert sorted(files(run.path)) == sorted([row["file"] for row in rows] + ["manifest.csv"])
    assert {post.message(line).status for line in lines} == {"sent"}


def test_the_file_is_the_letter_and_its_statement_accessible_and_in_the_patients_language(post: Post) -> None:
    post.demand(post.account(1, language="es"))
    (run,) = post.export().runs
    reader = pypdf.PdfReader(run.path / "0001-00001.pdf")
    first, second = (page.extract_text() for page in reader.pages[:2])
    assert "Con esta carta va su estado de cuenta." in first and "Carta 1-1" in first and "$" not in first
    assert "$100.00" in second and "Página 1 de" in second
    root = reader.trailer["/Root"].get_object()
    assert root["/Lang"] == "es-US" and root["/MarkInfo"]["/Marked"].value  # type: ignore[index]


def test_the_window_of_the_envelope_shows_a_name_and_an_address_alone(post: Post) -> None:
    """No. 10, left window: whatever the paper's place in it, the window sees no more than 2.04 to 3.63 inches."""
    post.demand(post.account(1))
    (run,) = post.export().runs
    page, seen = pypdf.PdfReader(run.path / "0001-00001.pdf").pages[0], []
    height = float(page.mediabox.height)

    def note(text: str, cm: list[float], tm: list[float], *rest: object) -> None:
        down = (height - (cm[1] * tm[4] + cm[3] * tm[5] + cm[5])) / 72
        if text.strip() and 2.04 <= down <= 3.63:
            seen.append((text.strip(), down))

    page.extract_text(visitor_text=note)
    assert [text for text, _ in seen] == ["Rivera, Anna", "1 Elm Street", "Apt 9", "Albany, NY 12207"]
    assert all(2.5 <= down <= 3.17 for _, down in seen)  # seen wherever the paper slips to


def test_files_are_for_this_user_alone_and_their_names_say_nothing(post: Post) -> None:
    post.demand(post.account(1))
    (run,) = post.export().runs
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.path.iterdir()} == {0o600}
    assert not any("Rivera" in name or "K1" in name for name in files(post.folder))


def test_who_paid_since_gets_no_letter(post: Post) -> None:
    first, second = post.account(1), post.account(2)
    lines = [post.demand(first), post.demand(second)]
    post.house.pay(10_000, first)
    done = post.export()
    assert [row["letter"] for row in manifest(done.runs[0].path)] == ["1-1"] and sum(done.kept.values()) == 1
    assert [post.message(line).status for line in lines] == ["cancelled", "sent"]


def test_in_the_shadow_no_letter_leaves(post: Post) -> None:
    line = post.demand(post.account(1))
    shadow = maple_clinic(**{**POLICY, "sending": "shadow"})
    post.house.do(lambda session: save_policy(session, PRACTICE, shadow, True, post.house.clock()))
    done = post.export()
    assert done.runs == () and list(done.kept.values()) == [1] and post.message(line).status == "withheld"
    assert post.house.do(lambda session: mailing.list_batches(session, PRACTICE)) == []


def test_every_letter_is_in_one_run_and_runs_are_numbered_without_a_gap(post: Post) -> None:
    ids = [post.account(n) for n in range(mailing.AT_ONCE + 3)]
    for one in ids:
        post.demand(one, key=f"first:{one}")
    (first,) = post.export().runs
    assert post.export().runs == ()
    later = post.account(99)
    post.demand(later)
    (second,) = post.export().runs
    assert (first.batch.number, first.batch.letters, second.batch.number, second.batch.letters) == (1, len(ids), 2, 1)


def test_a_run_is_written_again_byte_for_byte_whatever_changed_since(post: Post) -> None:
    account_id = post.account(1)
    post.demand(account_id)
    (run,) = post.export().runs
    renamed = maple_clinic(**{**POLICY, "legal_name": "Oak Clinic PLLC", "phone": "+12125550177"})
    post.house.do(lambda session: save_policy(session, PRACTICE, renamed, True, post.house.clock()))

    def marry(session: object) -> None:
        person = session.get_one(Guarantor, account_id)  # type: ignore[attr-defined]
        person.name, person.address, person.language = "Oak, Anna", "1 Far Road, Troy, NY 12180", "es"

    post.house.do(marry)
    again = runs.write_again(post.house.store, PRACTICE, 1, post.folder / "again", post.house.clock)
    assert files(again.path) == files(run.path)


def test_a_run_is_acknowledged_once_and_only_when_its_files_were_written(post: Post) -> None:
    post.demand(post.account(1))
    house = post.house
    house.do(partial(mailing.take, practice_id=PRACTICE, after_id="", by="bill", now=house.clock()))
    house.do(lambda session: mailing.close(session, PRACTICE))
    acknowledge = partial(mailing.acknowledge, practice_id=PRACTICE, number=1, by="bill", now=house.clock())
    with pytest.raises(MailRefused, match="never written whole"):
        house.do(acknowledge)
    (run,) = post.export().runs
    assert run.recovered
    first = house.do(acknowledge)
    post.wait(days=1)
    assert house.do(partial(acknowledge, now=house.clock(), by="sam")) == first
    with pytest.raises(MailRefused, match="no such run"):
        house.do(partial(acknowledge, number=7))


def test_the_number_on_the_paper_finds_the_letter_that_came_back_and_nothing_more_goes_there(post: Post) -> None:
    account_id = post.account(1)
    line = post.demand(account_id)
    post.export()
    house = post.house
    assert house.do(lambda session: mailing.find_letter(session, PRACTICE, "1-1")) == line.message_id
    for strange in ("1-2", "9-1", "x", "1-1 or 1=1"):
        with pytest.raises(MailRefused, match="no such letter"):
            house.do(partial(mailing.find_letter, practice_id=PRACTICE, named=strange))
    house.do(lambda session: addresses.note_returned(session, PRACTICE, line.message_id or "", by="bill",
                                                     on=house.policy.local_day(house.clock()), now=house.clock()))
    again = post.demand(account_id, key="again")
    assert again.outcome == "none" and ("paper", "returned") in again.passed
