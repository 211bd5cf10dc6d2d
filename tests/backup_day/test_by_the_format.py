"""An attack that knows docs/FORMAT.md, with write access to a backup place, and without keys.

Valid names, planted signed states, other markers, other cards, a place emptied but for its marker,
links and pipes. After each: nothing good lost, nothing outside touched, and the verdict that fits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.backup import model
from notevault.formats import text
from tests.backup import vaults
from tests.backup_day.planting import Outside, aim
from tests.backup_day.practice import Practice, good, snapshot

pytestmark = [pytest.mark.slow, pytest.mark.disk]


def first_blob(practice: Practice) -> Path:
    """The first saved file, at the place."""
    digest = practice.made.digests[0]
    return practice.base("blue") / "blobs" / digest[:2] / digest


def test_files_with_good_names_that_no_log_names_mean_nothing_and_stay(practice: Practice) -> None:
    base = practice.base("blue")
    for number in range(30):
        data = b"NVO1 planted %d" % number
        name = hashlib.sha256(data).hexdigest()
        (base / "blobs" / name[:2]).mkdir(exist_ok=True)
        (base / "blobs" / name[:2] / name).write_bytes(data)
    live = set(practice.made.digests)
    practice.made.grow(3)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SAFE, report
    assert good(practice.places["blue"]) >= live | set(practice.made.digests)


def test_a_wrong_file_under_the_name_of_one_to_come_is_not_overwritten_is_told_and_healed(practice: Practice) -> None:
    (digest,) = practice.made.grow(1, 3000)
    wrong = b"x" * 3000
    planted = practice.base("blue") / "blobs" / digest[:2] / digest
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(wrong)
    report = practice.report("run", "blue")
    full = practice.report("verify", "--full", "blue")
    assert (full["verdict"], full["code"]) == (model.HURT, 1), (report, full)
    assert planted.read_bytes() == wrong
    practice.backup("heal")
    assert digest in good(practice.base("blue") / "blobs")
    assert hashlib.sha256(wrong).hexdigest() in snapshot(practice.base("blue")).values(), "set aside, not deleted"
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE


def _other_key(practice: Practice) -> vaults.Made2:
    """A vault of the attacker's own, claiming the same vault id."""
    other = vaults.Made2(practice.folder / "attacker", "other")
    other.vault_id = practice.made.vault_id
    other.begin()
    other.write([2000] * 300)
    return other


def _plant_junk(practice: Practice) -> None:
    folder = practice.base("blue") / "anchors" / practice.made.origin
    (folder / f"{10**9}-{'ab' * 32}").write_bytes(b"no signed state at all\n")
    (folder / f"0{practice.made.size}-{'ab' * 32}").write_bytes(b"")
    (folder / "anchor").write_bytes(bytes(10_000))
    (folder / f"{10**9}-{'cd' * 32}").mkdir()


def _plant_shifted(practice: Practice) -> None:
    """A true one under another size and root."""
    folder = practice.base("blue") / "anchors" / practice.made.origin
    (true, *_) = folder.iterdir()
    (folder / f"{practice.made.size + 5}-{'ef' * 32}").write_bytes(true.read_bytes())


def _plant_signed_by_others(practice: Practice) -> None:
    """Well signed, by a log identity of the attacker's, under the true origin and under his own, with his card."""
    other = _other_key(practice)
    base = practice.base("blue")
    data = other.checkpoint()
    name = f"{other.size}-{other.root.hex()}"
    (base / "anchors" / practice.made.origin / name).write_bytes(data)
    (base / "anchors" / other.origin).mkdir()
    (base / "anchors" / other.origin / name).write_bytes(data)
    shutil.copytree(other.vault / "audit" / other.origin, base / "audit" / other.origin)
    shutil.copytree(other.vault / "headers" / other.origin, base / "headers" / other.origin)


@pytest.mark.parametrize("plant", [_plant_junk, _plant_shifted, _plant_signed_by_others])
def test_planted_signed_states_change_nothing(practice: Practice, plant: Callable[[Practice], None]) -> None:
    plant(practice)
    practice.made.grow(4)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SAFE, report
    assert practice.report("run", "blue")["verdict"] == model.SAFE
    to = practice.folder / "back"
    practice.backup("restore", "--from", str(practice.places["blue"]), "--to", str(to), "--no-places")
    assert good(to) >= set(practice.made.digests)
    assert (to / "audit").is_dir()
    assert [path.name for path in (to / "audit").iterdir()] == [practice.made.origin]


def test_another_card_under_the_true_origin_is_told_set_aside_and_put_right(practice: Practice) -> None:
    other = _other_key(practice)
    wrong = (other.vault / "audit" / other.origin / "card").read_bytes()
    card = practice.base("blue") / "audit" / practice.made.origin / "card"
    right = card.read_bytes()
    for grown in (2, 0):
        card.chmod(0o600)
        card.write_bytes(wrong)
        if grown:
            practice.made.grow(grown)
        report = practice.report("run", "blue")
        assert "card" in str(report["problems"]), report
        assert card.read_bytes() == right
    kept = snapshot(practice.base("blue") / "quarantine").values()
    assert hashlib.sha256(wrong).hexdigest() in kept, "set aside, not deleted"
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE


def test_a_card_of_others_found_by_a_check_is_healed(practice: Practice) -> None:
    card = practice.base("blue") / "audit" / practice.made.origin / "card"
    right = card.read_bytes()
    card.chmod(0o600)
    card.write_bytes(b"{}\n")
    report = practice.report("verify", "--full", "blue")
    assert report["verdict"] in model.ALARMS, report
    practice.backup("heal")
    assert card.read_bytes() == right
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE


def _marker(practice: Practice, place: str | None = None, vault: str | None = None) -> bytes:
    fields = {"place": place or "ab" * 16, "v": 1, "vault": vault or practice.made.hex}
    return text.canonical(fields) + b"\n"


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (lambda practice: _marker(practice), model.FOREIGN),
        (lambda practice: _marker(practice, vault="cd" * 16), model.FOREIGN),
        (lambda practice: b"{}\n", model.FOREIGN),
        (lambda practice: b"", model.FOREIGN),
        (lambda practice: bytes(1 << 20), model.FOREIGN),
        (None, model.EMPTIED),  # the disk is there: it was deleted, not unplugged
    ],
    ids=["another place's", "another vault's", "empty object", "empty", "huge", "none"],
)
def test_without_its_own_marker_a_place_is_never_written_to(
    practice: Practice, data: Callable[[Practice], bytes] | None, verdict: str
) -> None:
    marker = practice.base("blue") / "VAULT.json"
    kept = marker.read_bytes()
    base = marker.parent
    marker.unlink()
    if data is not None:
        marker.write_bytes(data(practice))
    before = snapshot(practice.places["blue"])
    practice.made.grow(3)
    report = practice.report("run", "blue")
    assert report["verdict"] == verdict, report
    assert report["code"] != 0
    assert report["words"]
    assert snapshot(practice.places["blue"]) == before
    (base / "VAULT.json").write_bytes(kept)
    assert practice.report("run", "blue")["verdict"] == model.SAFE


def test_a_place_emptied_but_for_its_marker_is_an_alarm_and_not_taken_for_a_new_one(practice: Practice) -> None:
    base = practice.base("blue")
    for name in ("blobs", "headers", "audit", "anchors"):
        shutil.rmtree(base / name)
    before = snapshot(practice.places["blue"])
    practice.made.grow(1)
    report = practice.report("run", "blue")
    assert report["verdict"] in (model.SHRUNK, model.HURT), report
    assert report["code"] != 0
    if report["verdict"] == model.SHRUNK:
        assert snapshot(practice.places["blue"]) == before


def test_an_older_copy_of_the_place_put_back_is_an_alarm(practice: Practice) -> None:
    old = practice.folder / "old"
    shutil.copytree(practice.base("blue"), old)
    practice.made.grow(6)
    practice.backup("run")
    base = practice.base("blue")
    shutil.rmtree(base)
    shutil.copytree(old, base)
    practice.made.grow(1)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SHRUNK, report


@pytest.mark.parametrize(
    "what", ["blobs", "blobs/{ab}", "audit", "audit/{origin}/parts", "anchors", "anchors/{origin}"]
)
def test_a_folder_that_is_a_link_is_not_followed(practice: Practice, outside: Outside, what: str) -> None:
    (digest,) = practice.made.grow(1, 2500)
    path = practice.base("blue") / what.format(ab=digest[:2], origin=practice.made.origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    aim(path, outside.folder)
    report = practice.report("run", "blue")
    assert report["verdict"] in model.ALARMS, report
    assert report["code"] != 0
    assert outside.untouched()
    assert path.is_symlink(), "a thing planted is evidence: it stays"


@pytest.mark.parametrize("name", ["entries", "parts", "seals"])
@pytest.mark.parametrize("above", ["blobs/00", "audit/{origin}/parts"])
def test_a_folder_planted_under_the_name_of_one_of_ours_blocks_nothing(
    practice: Practice, above: str, name: str
) -> None:
    planted = practice.base("blue") / above.format(origin=practice.made.origin) / name
    planted.mkdir(parents=True)
    (planted / "letter").write_text("planted")
    practice.made.grow(1)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SAFE, report
    assert not planted.exists()
    kept = snapshot(practice.base("blue") / "quarantine").values()
    assert hashlib.sha256(b"planted").hexdigest() in kept, "set aside, not deleted"
    assert good(practice.places["blue"]) >= set(practice.made.digests)


def test_a_stage_folder_that_is_a_link_is_not_followed(practice: Practice, outside: Outside) -> None:
    base = practice.base("blue")
    stages = [path for path in base.iterdir() if path.name.startswith(".stage-")]
    device = practice.made.device.hex()
    for path in stages or [base / f".stage-{device}"]:
        aim(path, outside.folder)
    practice.made.grow(2)
    practice.report("run", "blue")
    assert outside.untouched()


@pytest.mark.parametrize("kind", ["link to a file", "link to nothing", "pipe", "folder"])
def test_something_else_under_a_saved_files_name_is_told_and_hangs_nothing(
    practice: Practice, outside: Outside, kind: str
) -> None:
    path = first_blob(practice)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(outside.folder / ("photo" if kind == "link to a file" else "nothing"))
    practice.report("run", "blue")
    report = practice.report("verify", "--full", "blue")
    assert report["verdict"] in (model.HURT, model.PLANTED), report
    assert report["code"] in (1, 2)
    practice.backup("heal", code=None)
    assert outside.untouched()
    to = practice.folder / "back"
    practice.backup(
        "restore", "--from", str(practice.places["blue"]), "--from", str(practice.vault), "--to", str(to), "--no-places"
    )
    assert good(to) >= set(practice.made.digests)


def test_conflict_copies_of_a_cloud_client_are_understood(practice: Practice) -> None:
    path = first_blob(practice)
    data = path.read_bytes()
    path.rename(path.with_name(f"{path.name} (conflicted copy 2026-03-02)"))
    (path.parent / "notes of somebody.txt").write_text("not ours")
    practice.made.grow(1)
    practice.backup("run", code=None)
    practice.backup("heal", code=None)
    practice.backup("run")
    assert path.read_bytes() == data
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE
