"""A backup place as the folder that is checked: whole, behind, still arriving, changed; and places made to mislead."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import bundle, ed25519, entry, merkle
from notevault.auditlog.outcome import Seen, VaultVerdict
from notevault.auditlog.placelog import PlaceLog
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.crypto import signing
from tests.auditlog.nvaudit import Run
from tests.backup.scene import Scene
from tests.backup.vaults import synthetic


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Backed up again and again over 700 entries and two epochs, so that bundles and parts lie there."""
    made = Scene(tmp_path)
    for count in (3, 70, 120, 200, 60, 150, 91):
        made.made.grow(count, 64)
        made.go()
    made.made.close_epoch()
    made.go()
    made.made.grow(4, 64)
    made.go()
    return made


def check(scene: Scene, folder: Path | None = None, **more: Any) -> VaultVerdict:
    pinned = scene.made.paths.card(scene.made.origin).read_bytes()
    return check_vault(folder or scene.base, **{"card": pinned, "verify": signing.verify, **more})


def codes(verdict: VaultVerdict, weight: Weight) -> set[str]:
    return {finding.code for finding in verdict.of(weight)}


def audit(scene: Scene) -> Path:
    return scene.base / "audit" / scene.made.origin


def newest(scene: Scene) -> Path:
    return scene.base / "anchors" / scene.made.origin / f"{scene.made.size}-{scene.made.root.hex()}"


@pytest.mark.parametrize("above", [0, 1, 2])
def test_an_untouched_place_is_intact_however_it_is_named(scene: Scene, above: int) -> None:
    verdict = check(scene, [scene.base, scene.base.parent, scene.folder][above])
    assert verdict.exit_code == 0, verdict.findings
    assert (verdict.logs[0].verdict.size, verdict.logs[0].verdict.proven) == (scene.made.size, True)
    assert verdict.blobs.live == len(scene.made.digests)
    assert not codes(verdict, Weight.UNDECIDED)


def test_the_audit_folder_or_one_log_of_a_place_is_read_as_well(scene: Scene) -> None:
    for folder in (scene.base / "audit", audit(scene)):
        verdict = check(scene, folder, log_only=True)
        assert (verdict.exit_code, verdict.logs[0].verdict.size) == (0, scene.made.size), verdict.findings


def test_after_recovery_on_another_laptop_the_place_holds_both_logs(scene: Scene) -> None:
    scene.made.recover()
    scene.made.grow(3)
    scene.go()
    verdict = check(scene)
    assert (verdict.exit_code, len(verdict.logs)) == (0, 2), verdict.findings


def test_with_the_built_in_signatures_it_comes_to_the_same(scene: Scene) -> None:
    assert check(scene, verify=ed25519.verify).exit_code == 0


def test_the_program_says_where_it_looks_and_lists_two_vaults_of_one_place(
    run: Run, scene: Scene, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.write_bytes(scene.made.paths.card(scene.made.origin).read_bytes())
    for folder in (scene.folder, scene.base.parent):
        said = run("check", folder, "--card", card)
        assert said.code == 0, said.out + said.err
        assert f"looking at {scene.base}" in said.err
    shutil.copytree(scene.base, scene.base.with_name("ab" * 16))
    for folder in (scene.folder, scene.base.parent):
        said = run("check", folder, "--card", card)
        assert said.code == 66
        assert str(scene.base) in said.err
        assert "ab" * 16 in said.err


def test_entries_proof_and_export_work_on_a_place(run: Run, scene: Scene, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.write_bytes(scene.made.paths.card(scene.made.origin).read_bytes())
    shown = run("entries", scene.folder, "--card", card)
    assert shown.code == 0
    assert "NOT READABLE" not in shown.out
    assert f" {scene.made.size - 1}  " in shown.out
    out = tmp_path / "proof"
    assert run("proof", scene.folder, "--entry", scene.made.size - 1, "--out", out).code == 0
    assert run("check-proof", out, "--card", card).code == 0
    assert run("export", scene.folder, "--out", tmp_path / "tiles").code == 0


# -- behind, still arriving


def test_a_newer_state_that_is_not_all_here_is_still_arriving_and_no_accusation(scene: Scene) -> None:
    before = scene.made.size
    scene.made.grow(5)
    scene.go()
    last = max((audit(scene) / "parts").iterdir(), key=lambda path: int(path.name.split("-")[1]))
    last.unlink()
    verdict = check(scene)
    assert (verdict.exit_code, codes(verdict, Weight.TAMPERED)) == (2, set())
    assert "STILL_ARRIVING" in codes(verdict, Weight.UNDECIDED)
    assert any("still arriving" in one.sentence.lower() for one in verdict.findings)
    assert verdict.logs[0].verdict.size == before


def test_a_place_of_which_nothing_but_states_has_arrived_is_undecided(scene: Scene) -> None:
    shutil.rmtree(audit(scene) / "entries")
    shutil.rmtree(audit(scene) / "parts")
    verdict = check(scene)
    assert verdict.exit_code == 2
    assert {"STILL_ARRIVING", "NO_CHECKPOINT"} <= codes(verdict, Weight.UNDECIDED)


def test_a_place_behind_the_vault_is_an_older_state_and_not_rolled_back(scene: Scene) -> None:
    scene.made.grow(9)
    seen = Seen(scene.made.origin, scene.made.size, scene.made.root, "your state file", None)
    verdict = check(scene, seen=[seen])
    assert (verdict.exit_code, codes(verdict, Weight.UNDECIDED)) == (2, {"OLDER_STATE"})


def test_a_log_that_has_not_reached_the_place_yet_is_no_accusation(scene: Scene) -> None:
    scene.made.recover()
    seen = Seen(scene.made.origin, scene.made.size, scene.made.root, "your state file", None)
    assert check(scene, seen=[seen], vik=signing.public_key(scene.made.vik)).exit_code == 2


@pytest.mark.parametrize("what", ["blobs", "headers"])
def test_a_file_that_is_not_there_is_undecided_and_one_that_differs_is_proof(scene: Scene, what: str) -> None:
    path = max(one for one in (scene.base / what).rglob("*") if one.is_file())
    data = path.read_bytes()
    path.unlink()
    verdict = check(scene)
    assert (verdict.exit_code, codes(verdict, Weight.TAMPERED)) == (2, set())
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert check(scene).exit_code == 1


def test_seals_stand_where_all_anchors_are_lost(scene: Scene) -> None:
    shutil.rmtree(scene.base / "anchors")
    verdict = check(scene)
    assert (verdict.exit_code, verdict.logs[0].verdict.size) != (1, 0)
    assert verdict.logs[0].verdict.size == scene.made.size - 4
    assert codes(verdict, Weight.TAMPERED) == set()


# -- pieces


def test_a_bundle_that_does_not_read_is_put_together_from_the_parts(scene: Scene) -> None:
    entries = scene.made.log.entries
    for start, stop in ((0, 130), (100, 200), (200, 256)):
        (audit(scene) / "parts" / f"{start}-{stop}").write_bytes(bundle.pack(entries[start:stop]))
    (audit(scene) / "entries" / "000").write_bytes(b"\0\5hello")
    assert check(scene).exit_code == 0


def test_pieces_that_lead_nowhere_beside_the_right_ones_change_nothing(scene: Scene) -> None:
    """Entries that follow on from the real ones, as nobody without keys can have signed, under every likely name."""
    entries = scene.made.log.entries
    size = scene.made.size
    start = size - size % 256
    forged, before = [], entries[start - 1]
    for index in range(start, size):
        fields = entry.parse(entries[index]).fields()  # type: ignore[union-attr]
        fields |= {"t": fields["t"] + 1, "p": merkle.leaf_hash(before)[:16].hex()}
        before = entry.encode(fields)
        forged.append(before)
    (audit(scene) / "parts" / f"{start}-{size}").write_bytes(bundle.pack(forged))
    (audit(scene) / "parts" / f"{start}-{start + 250}").write_bytes(bundle.pack([*forged, *forged[:1]]))
    assert check(scene).exit_code == 0


def test_a_changed_entry_that_nothing_replaces_is_proof(scene: Scene) -> None:
    for folder in ("entries", "parts"):
        for path in (audit(scene) / folder).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                path.write_bytes(data.replace(scene.made.digests[100].encode(), ("0" * 64).encode()))
    verdict = check(scene)
    assert verdict.exit_code == 1
    assert "REWRITTEN" in codes(verdict, Weight.TAMPERED)


def test_an_anchor_that_does_not_count_changes_nothing(scene: Scene) -> None:
    folder = newest(scene).parent
    (folder / f"{scene.made.size + 7}-{'ab' * 32}").write_bytes(newest(scene).read_bytes())
    (folder / f"{2**53 - 1}-{'ab' * 32}").write_bytes(b"x")
    verdict = check(scene)
    assert verdict.exit_code == 0, verdict.findings
    assert not codes(verdict, Weight.UNDECIDED)


def test_a_place_under_another_card_is_not_believed(scene: Scene, tmp_path: Path) -> None:
    other = synthetic(tmp_path / "other", seed=2)
    assert check(scene, card=other.paths.card(other.origin).read_bytes()).exit_code == 2


# -- made to mislead, or to hurt


def test_a_marker_laid_into_a_vault_excuses_nothing(scene: Scene, tmp_path: Path) -> None:
    made = scene.made
    old = tmp_path / "old"
    shutil.copytree(made.vault, old)
    made.grow(3)
    shutil.copy(scene.base / "VAULT.json", old / "VAULT.json")
    shutil.copytree(scene.base / "anchors", old / "anchors")
    seen = Seen(made.origin, made.size, made.root, "your state file", None)
    verdict = check(scene, old, seen=[seen])
    assert "ROLLED_BACK" in codes(verdict, Weight.TAMPERED)


def test_a_vault_whose_checkpoint_was_taken_out_is_still_missing_its_log(scene: Scene) -> None:
    made = scene.made
    shutil.copytree(scene.base / "anchors", made.vault / "anchors")
    made.paths.checkpoint(made.origin).unlink()
    seen = Seen(made.origin, made.size, made.root, "your state file", None)
    assert "MISSING_LOG" in codes(check(scene, made.vault, seen=[seen]), Weight.TAMPERED)


def test_ten_thousand_pieces_and_states_cost_seconds(scene: Scene) -> None:
    folder, parts = newest(scene).parent, audit(scene) / "parts"
    state = newest(scene).read_bytes()
    for number in range(5000):
        (folder / f"{10_000 + number}-{'cd' * 32}").write_bytes(state)
        (parts / f"{512 + number % 200}-{713 + number // 200}").write_bytes(b"\0\1x")
    began = time.monotonic()
    assert check(scene).exit_code != 1
    assert time.monotonic() - began < 30


def test_links_in_a_place_are_not_followed(scene: Scene, tmp_path: Path) -> None:
    part = min((audit(scene) / "parts").iterdir(), key=lambda path: int(path.name.split("-")[0]))
    kept = tmp_path / "kept"
    part.rename(kept)
    part.symlink_to(kept)
    assert check(scene).exit_code in (0, 2)


def test_reading_the_same_log_twice_gives_the_same(scene: Scene) -> None:
    made = scene.made
    identity = signing.public_key(made.log.identity)
    read = PlaceLog(audit(scene), made.origin, scene.base / "anchors", identity, signing.verify)
    assert (read.size, read.arriving) == (made.size, 0)
    assert read("entries/001") == bundle.pack(made.log.entries[256:512])
    assert read("open") == bundle.pack(made.log.entries[512 : made.size]) if made.size < 768 else True
    assert read("hashes") is None
    assert read("entries/x001/000") is None
