"""The other commands of `nvaudit`: cards, entries in words, proofs, tiles, a witness's key and signature."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from notevault.auditlog import cosign, state, tiles
from notevault.auditlog.folder import folder_reader
from tests.auditlog import sample
from tests.auditlog.forge import Forge, busy
from tests.auditlog.nvaudit import NOW, Run, Said


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    return busy(tmp_path / "vault", 300)


@pytest.fixture
def paper(vault: Forge, tmp_path: Path) -> Path:
    path = tmp_path / "card"
    path.write_bytes(vault.card)
    return path


def _numbers(said: Said) -> list[int]:
    return [int(line[:7]) for line in said.out.splitlines() if line[:7].strip().isdigit()]


# -- card


def test_cards_are_shown_with_fingerprints_and_the_advice_to_compare(run: Run, tmp_path: Path) -> None:
    vault = busy(tmp_path / "two", 60, logs=2)
    said = run("card", vault.folder)
    assert said.code == 0
    assert said.out.count("fingerprint  ") == 2
    assert "Compare the fingerprint with the paper" in said.out
    for log in vault.logs:
        assert log.origin in said.out


def test_a_card_that_does_not_hold_is_said_to_be_forged(run: Run, vault: Forge) -> None:
    path = vault.path(vault.logs[0], "card")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"created":1', b'"created":2'))
    said = run("card", vault.folder)
    assert (said.code, "FORGED card" in said.out) == (1, True)
    assert "Compare" not in said.out, "there is nothing to compare"
    path.write_bytes(b"nonsense")
    assert run("card", vault.folder).code == 1
    path.unlink()
    assert run("card", vault.folder).code == 2


# -- entries


def test_entries_are_told_in_words_and_counted(run: Run, vault: Forge, paper: Path) -> None:
    said = run("entries", vault.folder, "--card", paper)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("INTACT (first visit, the log alone): the log of ")
    assert _numbers(said) == list(range(vault.logs[0].size))
    assert "      0  2025-11-21 16:00:00  done     create the vault · " in said.out
    for words in (
        "open a record",
        "try to unlock the vault: ",
        "the laptop's clock was moved: 2 hours",
        "care of clients",
    ):
        assert words in said.out


def test_entries_of_some_days_only(run: Run, vault: Forge, paper: Path) -> None:
    said = run("entries", vault.folder, "--card", paper, "--from", "2025-11-23", "--to", "2025-11-24")
    assert said.code == 0
    days = {line[9:19] for line in said.out.splitlines() if line[:7].strip().isdigit()}
    assert days == {"2025-11-23", "2025-11-24"}
    assert _numbers(run("entries", vault.folder, "--card", paper, "--from", "2031-01-01")) == []
    for argv in (["--from", "yesterday"], ["--to", "2025-02-30"], ["--from", "2025-11-24", "--to", "2025-11-23"]):
        assert run("entries", vault.folder, *argv).code == 64


def test_entries_that_are_not_proven_are_said_to_be_so_before_the_first(run: Run, vault: Forge, paper: Path) -> None:
    vault.logs[0].rewrite(40, lambda fields: fields.update(w="ff" * 8), sign=False)
    said = run("entries", vault.folder, "--card", paper)
    assert said.code == 1
    assert said.out.startswith("TAMPERED: ")
    assert said.out.index("NOT PROVEN") < said.out.index("      0  2025")
    assert len(_numbers(said)) == vault.logs[0].size
    said = run("entries", vault.folder)
    assert said.code in (1, 2), "without the card there is no pass either"


def test_entries_of_a_log_with_missing_files_say_where(run: Run, vault: Forge, paper: Path) -> None:
    (vault.logs[0].folder / "entries" / "000").unlink()
    said = run("entries", vault.folder, "--card", paper)
    assert said.code == 1
    assert "      0  NOT READABLE: " in said.out
    assert _numbers(said)[1:] == list(range(256, vault.logs[0].size))


def test_entries_of_one_of_several_logs(run: Run, tmp_path: Path) -> None:
    vault = busy(tmp_path / "two", 60, logs=2)
    second = vault.logs[1]
    said = run("entries", vault.folder, "--card", vault.fingerprint, "--origin", second.origin[:6])
    assert _numbers(said) == list(range(second.size))
    assert run("entries", vault.folder, "--origin", "zz").code == 64
    assert run("proof", vault.folder, "--entry", 0, "--out", tmp_path / "p").code == 64, "which log?"
    assert run("proof", vault.folder, "--entry", 0, "--origin", second.origin, "--out", tmp_path / "p").code == 0


# -- proofs and tiles


def test_a_proof_holds_with_the_card_alone(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    for index in (0, 255, 256, vault.logs[0].size - 1):
        out = tmp_path / f"proof {index}"
        assert run("proof", vault.folder, "--entry", index, "--out", out).code == 0
        said = run("check-proof", out, "--card", paper)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(f"HOLDS: this is entry {index} of the {vault.logs[0].size} ")
        assert sys.platform == "win32" or out.stat().st_mode & 0o777 == 0o600
    assert run("proof", vault.folder, "--entry", 0, "--out", tmp_path / "proof 0").code == 73, "nothing is replaced"
    said = run("proof", vault.folder, "--entry", vault.logs[0].size, "--out", tmp_path / "none")
    assert (said.code, (tmp_path / "none").exists()) == (64, False)
    assert run("proof", vault.folder, "--entry", 0, "--out", vault.folder / "p").code == 73


def test_a_proof_that_was_changed_does_not_hold(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "proof", vault.logs[0]
    run("proof", vault.folder, "--entry", 3, "--out", out)
    text = out.read_text()
    lines = text.split("\n")
    swapped = [*lines[:3], lines[4], lines[3], *lines[5:]]
    for changed, code in (
        (text.replace("index 3\n", "index 4\n"), 1),
        ("\n".join(swapped), 1),
        (text.replace(f"\n{log.size}\n", f"\n{log.size + 1}\n"), 1),
        (text[: len(text) // 2], 2),
        ("", 2),
        ("\udcff", 2),
    ):
        out.write_bytes(changed.encode("utf-8", "surrogateescape"))
        said = run("check-proof", out, "--card", paper)
        assert said.code == code, changed
        assert "HOLDS:" not in said.out


def test_a_proof_needs_the_card_of_its_own_log(run: Run, vault: Forge, tmp_path: Path) -> None:
    out = tmp_path / "proof"
    run("proof", vault.folder, "--entry", 3, "--out", out)
    other = Forge(tmp_path / "other")
    other.begin("another")
    (tmp_path / "card2").write_bytes(other.card)
    assert run("check-proof", out, "--card", tmp_path / "card2").code == 2
    said = run("check-proof", out, "--card", vault.fingerprint)
    assert said.code == 64
    assert "the keys are on the card" in said.err


def test_an_exported_log_is_what_was_signed(run: Run, vault: Forge, tmp_path: Path) -> None:
    out, log = tmp_path / "tiles", vault.logs[0]
    assert run("export", vault.folder, "--out", out).code == 0
    found = tiles.check(folder_reader(out), log.identity.pub, sample.verify)
    assert getattr(found, "size", None) == log.size
    assert run("export", vault.folder, "--out", out).code == 73
    assert run("export", vault.folder, "--out", vault.folder / "tiles").code == 73
    assert run("export", vault.folder, "--out", tmp_path / "no" / "tiles").code == 73
    log.rewrite(7, lambda fields: fields.update(w="ff" * 8), sign=False)
    assert run("export", vault.folder, "--out", tmp_path / "again").code == 2
    assert not (tmp_path / "again").exists()


# -- witness and cosignature


@pytest.fixture
def key(run: Run, tmp_path: Path) -> tuple[Path, str]:
    """The secret key's file, and the public key."""
    said = run("witness", "new", "auditor.example", "--out", tmp_path / "key")
    assert said.code == 0
    return tmp_path / "key", said.out.strip()


def test_a_key_is_made_once_and_its_secret_never_shown(run: Run, key: tuple[Path, str], tmp_path: Path) -> None:
    path, public = key
    secret = path.read_text()
    assert secret.startswith("PRIVATE+KEY+auditor.example+")
    assert public.startswith("auditor.example+")
    assert isinstance(cosign.parse_witness(public), cosign.Witness)
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600
    said = run("witness", "new", "auditor.example", "--out", path)
    assert said.code == 73
    assert secret.strip().rsplit("+", 1)[1] not in said.all
    assert path.read_text() == secret
    assert run("witness", "new", "two words", "--out", tmp_path / "k2").code == 64
    assert not (tmp_path / "k2").exists()


def test_a_cosigned_state_counts_at_the_next_check(
    run: Run, vault: Forge, paper: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    path, public = key
    own, out, log = tmp_path / "state", tmp_path / "seen", vault.logs[0]
    argv = ["cosign", vault.folder, "--key", path, "--card", paper, "--state", own, "--out"]
    said = run(*argv, out)
    assert said.code == 0, said.err
    found = cosign.seen(out.read_bytes(), log.origin, log.identity.pub, [_witness(public)], sample.verify)
    assert isinstance(found, list)
    assert (found[0].size, found[0].root, found[0].when) == (log.size, log.root(), NOW)
    remembered = state.parse(own.read_bytes())
    assert isinstance(remembered, state.State)
    assert remembered.logs[log.origin][-1].size == log.size
    assert run(*argv, out).code == 73, "a signed state is kept, not replaced"

    check = ["check", vault.folder, "--card", paper, "--cosigned", out]
    said = run(*check, "--witness", public)
    assert said.code == 0
    assert "all of it is vouched for from outside" in said.out
    assert run(*check).code == 64, "whose?"
    assert run("check", vault.folder, "--witness", public).code == 64
    other = run("witness", "new", "auditor.example", "--out", tmp_path / "k2").out.strip()
    assert run(*check, "--witness", other).code == 2
    assert run(*check, "--witness", "nonsense").code == 64


def _witness(text: str) -> cosign.Witness:
    found = cosign.parse_witness(text)
    assert isinstance(found, cosign.Witness)
    return found


def test_nothing_is_cosigned_that_does_not_continue_what_was_seen(
    run: Run, vault: Forge, paper: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    own, log = tmp_path / "state", vault.logs[0]
    argv = ["cosign", vault.folder, "--key", key[0], "--card", paper, "--state", own, "--out"]
    assert run(*argv, tmp_path / "one").code == 0
    kept = own.read_bytes()
    fork = Forge(vault.folder)
    other = fork.begin()
    for _ in range(log.size + 5):
        other.add("record.open")
    fork.store()
    said = run(*argv, tmp_path / "two")
    assert said.code == 1
    assert "Nothing was signed" in said.err
    assert not (tmp_path / "two").exists()
    assert own.read_bytes() == kept


def test_nothing_is_cosigned_without_the_right_card_key_and_state(
    run: Run, vault: Forge, paper: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    own, out = tmp_path / "state", tmp_path / "seen"
    base = ["cosign", vault.folder, "--card", paper, "--out", out]
    (tmp_path / "bad").write_text(key[0].read_text().replace("auditor", "editor"))
    assert run(*base, "--key", tmp_path / "bad", "--state", own).code == 64
    assert run(*base, "--key", tmp_path / "none", "--state", own).code == 66
    assert run(*base, "--key", key[0]).code == 64
    own.write_bytes(b"damaged")
    assert run(*base, "--key", key[0], "--state", own).code == 2
    vault.path(vault.logs[0], "card").unlink()
    vault.path(vault.logs[0], "checkpoint").unlink()
    own.unlink()
    assert run(*base, "--key", key[0], "--state", own).code == 2
    assert not out.exists()
    assert not own.exists()


def test_a_log_that_was_cut_after_a_cosignature_is_found_by_it(
    run: Run, vault: Forge, paper: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    out, log = tmp_path / "seen", vault.logs[0]
    run("cosign", vault.folder, "--key", key[0], "--card", paper, "--state", tmp_path / "s", "--out", out)
    log.lay(log.entries[:280])
    log.sign(log.signed(280))
    argv = ["check", vault.folder, "--card", paper, "--log-only", "--cosigned", out, "--witness", key[1]]
    said = run(*argv)
    assert said.code == 1
    assert "ROLLED BACK" in said.out
    assert "witness auditor.example" in said.out
