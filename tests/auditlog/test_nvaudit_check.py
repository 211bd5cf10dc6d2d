"""`nvaudit check` on whole vaults: the verdicts, and what else an auditor may hold against them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from notevault.auditlog import card, plain
from tests.auditlog import sample
from tests.auditlog.forge import Forge, busy
from tests.auditlog.nvaudit import NOW, Run, contents


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    return busy(tmp_path / "vault", 300)


@pytest.fixture
def paper(vault: Forge, tmp_path: Path) -> Path:
    """The card's file, as the auditor keeps it."""
    path = tmp_path / "card"
    path.write_bytes(vault.card)
    return path


# -- verdicts


def test_without_anything_from_outside_nothing_is_decided(run: Run, vault: Forge, tmp_path: Path) -> None:
    said = run("check", vault.folder, "--state", tmp_path / "state")
    assert said.code == 2
    assert said.out.startswith("CANNOT DECIDE: ")
    assert not (tmp_path / "state").exists(), "it would vouch for a card that nobody compared"
    assert "not written" in said.out


def test_a_first_visit_with_the_card_passes_and_says_what_it_could_not_check(
    run: Run, vault: Forge, paper: Path
) -> None:
    spelt = card.spell_fingerprint(vault.fingerprint)
    for given in (paper, vault.fingerprint, spelt, spelt.upper(), spelt.replace(" ", "-")):
        said = run("check", vault.folder, "--card", given)
        assert (said.code, said.err) == (0, ""), said.all
        assert said.out.startswith("INTACT (first visit): ")
        assert "first visit" in said.out.splitlines()[0]
        assert "Not checked:" in said.out
        assert "Signatures by the package cryptography." in said.out


def test_a_card_that_went_through_a_phone_or_an_editor_still_reads(run: Run, vault: Forge, tmp_path: Path) -> None:
    whole = vault.card
    for data in (whole, whole.rstrip(b"\n"), whole.rstrip(b"\n") + b"\r\n", b"\xef\xbb\xbf" + whole + b"\n\n"):
        (tmp_path / "phone").write_bytes(data)
        assert run("check", vault.folder, "--card", tmp_path / "phone").code == 0
    (tmp_path / "phone").write_text(card.spell_fingerprint(vault.fingerprint) + "\n")
    assert run("check", vault.folder, "--card", tmp_path / "phone").code == 0


def test_tampering_is_1_and_its_place_is_said(run: Run, vault: Forge, paper: Path) -> None:
    log = vault.logs[0]
    log.rewrite(23, lambda fields: fields.update(w="ff" * 8))
    said = run("check", vault.folder, "--card", paper)
    assert said.code == 1
    assert said.out.startswith("TAMPERED: ")
    assert "REWRITTEN" in said.out
    assert "INTACT" not in said.out


def test_another_card_does_not_pass(run: Run, vault: Forge, tmp_path: Path) -> None:
    other = busy(tmp_path / "other", 20, vik="another")
    (tmp_path / "wrong").write_bytes(other.card)
    for given in (tmp_path / "wrong", other.fingerprint):
        said = run("check", vault.folder, "--card", given)
        assert said.code in (1, 2), said.all
        assert "INTACT" not in said.out


def test_the_log_alone_is_said_to_be_the_log_alone(run: Run, vault: Forge, paper: Path) -> None:
    for path in (vault.folder / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    (vault.folder / "blobs").rename(vault.folder.parent / "away")
    assert run("check", vault.folder, "--card", paper).code == 2
    said = run("check", vault.folder, "--card", paper, "--log-only")
    assert said.code == 0
    assert "the log alone" in said.out.splitlines()[0]


def test_nothing_in_the_folder_is_touched(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    before = contents(vault.folder)
    run("check", vault.folder, "--card", paper, "--state", tmp_path / "s", "--out", tmp_path / "r.json")
    run("entries", vault.folder, "--card", paper)
    run("proof", vault.folder, "--entry", 1, "--out", tmp_path / "p")
    run("export", vault.folder, "--out", tmp_path / "t")
    assert contents(vault.folder) == before


# -- what else an auditor may hold


def test_states_kept_in_a_backup_place_count(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    log, place = vault.logs[0], tmp_path / "place"
    inner = place / "notevault" / sample.VAULT / "anchors"
    log.anchor(inner, 200)
    for named in (place, inner.parent, inner):
        said = run("check", vault.folder, "--card", paper, "--anchors", named)
        assert said.code == 0
        assert "first visit" not in said.out
        assert "vouched for from outside up to entry 199" in said.out
        assert "of the time before this check nothing is known" in said.out.splitlines()[0]
    (inner / log.origin / f"{log.size}-{'0' * 64}").write_bytes(b"nonsense")
    said = run("check", vault.folder, "--card", paper, "--anchors", place)
    assert said.code == 0
    assert "prove nothing" in said.out
    fork = busy(tmp_path / "fork", 250, days=5)
    fork.logs[0].anchor(inner)
    said = run("check", vault.folder, "--card", paper, "--anchors", place)
    assert said.code == 1
    assert "FORKED" in said.out
    assert "a backup place saw" in said.out
    assert run("check", vault.folder, "--card", paper, "--anchors", tmp_path / "gone").code == 66


def test_a_second_check_a_minute_later_does_not_make_the_past_known(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    run("check", vault.folder, "--card", paper, "--state", tmp_path / "state")
    run.now += 60_000
    said = run("check", vault.folder, "--state", tmp_path / "state", "--out", tmp_path / "r.json")
    first = plain.when(NOW)
    assert f"before {first}, when it was first seen, nothing is known" in said.out.splitlines()[0]
    found = json.loads((tmp_path / "r.json").read_bytes())
    assert found["known_since"]["ms"] == NOW
    assert f"a log cut, rolled back or replaced before it was first seen, {first}" in found["not_checked"]


def test_the_folder_of_logs_alone_says_that_key_files_were_not_checked(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    audit = (vault.folder / "audit").rename(tmp_path / "audit")
    said = run("check", audit, "--card", paper, "--log-only", "--out", tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_bytes())
    assert found["title"] == "INTACT (first visit, the log alone)"
    assert any(line.startswith("the key files: none are here") for line in found["not_checked"])
    assert "see the report" not in run("check", audit, "--card", paper, "--log-only").out
    assert said.code == 0


@pytest.mark.parametrize(
    ("keep", "told"), [(0, "nothing in it"), (-1, "breaks off in the middle of a line"), (-200, "breaks off"), (1, "")]
)
def test_an_empty_or_cut_signed_state_is_said_to_be_that(
    run: Run, vault: Forge, paper: Path, keep: int, told: str
) -> None:
    path = vault.path(vault.logs[0], "checkpoint")
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    path.write_bytes(data[:keep] if keep < 1 else b"".join(lines[:-1]))
    said = run("check", vault.folder, "--card", paper)
    assert said.code != 0
    assert (told or "one of its two signatures") in said.out


def test_a_disclosure_finds_its_entries(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    (tmp_path / "disc").write_bytes(vault.disclosure("C-001", 2025))
    said = run("check", vault.folder, "--card", paper, "--disclosure", tmp_path / "disc", "--out", tmp_path / "r.json")
    assert said.code == 0
    found = json.loads((tmp_path / "r.json").read_bytes())["logs"]["list"][0]["disclosed"]["list"]
    assert found
    said = run("entries", vault.folder, "--card", paper, "--disclosure", tmp_path / "disc")
    lines = [line for line in said.out.splitlines() if line[:7].strip().isdigit()]
    assert [int(line[:7]) for line in lines] == found
    (tmp_path / "disc").write_bytes(b"{}\n")
    assert run("check", vault.folder, "--card", paper, "--disclosure", tmp_path / "disc").code == 64
