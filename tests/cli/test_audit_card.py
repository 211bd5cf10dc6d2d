"""audit card, proof and export: what leaves the vault for an auditor, read back by other programs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from notevault.auditlog import card as cards
from notevault.auditlog import checkpoint, proof, tiles
from notevault.auditlog.folder import folder_reader
from notevault.formats.sheet import parse_sheet
from tests.cli.homes import Home
from tests.cli.test_terminal import at_terminal, ending

NEVER = ("slot", "header", "blob", "origin", "epoch", "seal", "anchor", "checkpoint")


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: poppler-utils, zbar-tools)")


def log_folder(home: Home) -> Path:
    (folder,) = home.vault.glob("audit/*")
    return folder


def card_file(home: Home) -> bytes:
    return (log_folder(home) / "card").read_bytes()


def scanned(picture: Path) -> bytes:
    done = subprocess.run(
        ["zbarimg", "-q", "--nodbus", "--raw", "--oneshot", "-Sbinary", str(picture)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def picture_of(blocks: str, path: Path, *, light_letters: bool) -> Path:
    """What a screen or a sheet of paper shows of half blocks, as a picture; four pixels to a module, a white rim."""
    lines = blocks.rstrip("\n").split("\n")
    width = max(map(len, lines))
    rows: list[str] = []
    for line in lines:
        padded = line.ljust(width)
        for half in ("█▀", "█▄"):
            rows.append("".join("1" if (letter in half) is not light_letters else "0" for letter in padded))
    rim = ["0" * (width + 8)] * 4
    full = [*rim, *(f"0000{row}0000" for row in rows), *rim]
    body = "\n".join(" ".join(cell for module in row for cell in module * 4) for row in full for _ in range(4))
    path.write_text(f"P1\n{4 * len(full[0])} {4 * len(full)}\n{body}\n")
    return path


def code_in(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if set(line) & set("█▀▄"))


def test_the_card_file_is_the_logs_own_card_and_names_its_fingerprint(worked: Home) -> None:
    done = worked.run("audit", "card", "--out", "card")
    assert (worked.path / "card").read_bytes() == card_file(worked)
    assert (worked.path / "card").stat().st_mode & 0o777 == 0o600
    spelt = cards.spell_fingerprint(cards.fingerprint(card_file(worked)))
    assert done.stdout == f"Card's fingerprint: {spelt}\n"


def test_the_page_has_both_fingerprints_as_sheet_and_check_print_them_and_no_word_of_ours(worked: Home) -> None:
    page = worked.run("audit", "card", "--plain").stdout
    sheet = parse_sheet(worked.sheet.read_text())
    assert cards.spell_fingerprint(cards.fingerprint(card_file(worked))) in page
    assert cards.spell_fingerprint(sheet.fingerprint.hex()) in page
    assert f"notevault/{log_folder(worked).name}" in page
    assert page.isascii()
    assert max(map(len, page.splitlines())) <= 76
    words = page.lower().replace(",", " ").replace(".", " ").split()
    assert not [word for word in NEVER if word in words]
    assert "Anna" not in page


def test_a_qr_reader_gets_the_card_file_from_the_text_and_from_the_print(worked: Home, tmp_path: Path) -> None:
    needs("zbarimg", "pdftoppm")
    page = worked.run("audit", "card").stdout
    assert scanned(picture_of(code_in(page), tmp_path / "text.pbm", light_letters=False)) == card_file(worked)
    worked.run("audit", "card", "--out", "card.txt")
    text = (worked.path / "card.txt").read_text("utf-8")
    assert scanned(picture_of(code_in(text), tmp_path / "file.pbm", light_letters=False)) == card_file(worked)
    worked.run("audit", "card", "--out", "card.pdf")
    subprocess.run(
        ["pdftoppm", "-r", "150", "-gray", "-png", str(worked.path / "card.pdf"), str(tmp_path / "page")], check=True
    )
    (picture,) = tmp_path.glob("page*.png")  # one sheet of paper
    assert scanned(picture) == card_file(worked)


def test_the_code_for_a_dark_screen_reads_back_too(worked: Home, tmp_path: Path) -> None:
    needs("zbarimg")
    from notevault.adapters.card_print import code_text, code_width

    drawn = code_text(card_file(worked), dark_screen=True)
    assert {len(line) for line in drawn.splitlines()} == {code_width(card_file(worked))} == {81}
    assert scanned(picture_of(drawn, tmp_path / "screen.pbm", light_letters=True)) == card_file(worked)


def test_at_a_terminal_the_code_is_shown_where_it_fits(worked: Home, tmp_path: Path) -> None:
    needs("zbarimg")
    said, code = ending(at_terminal(worked, "audit", "card"))  # 100 columns
    assert code == 0
    lines = [line.rstrip("\r") for line in code_in(said).split("\n")]
    picture = picture_of("\n".join(lines), tmp_path / "screen.pbm", light_letters=True)
    assert scanned(picture) == card_file(worked)
    said, code = ending(at_terminal(worked, "audit", "card", env={"COLUMNS": "80"}))
    assert code == 0
    assert not code_in(said)
    assert "81 columns" in said


def test_the_card_as_an_object_holds_the_file(worked: Home) -> None:
    (found,) = [json.loads(line) for line in worked.run("--json", "audit", "card").stdout.splitlines()]
    assert found["card"].encode() == card_file(worked)
    assert set(found) == {"begun", "card", "current", "fingerprint", "log", "vault", "vault_fingerprint"}
    assert found["fingerprint"] == cards.fingerprint(card_file(worked))


def test_a_card_of_another_vault_is_not_printed_for_ours(worked: Home) -> None:
    path = log_folder(worked) / "card"
    found = json.loads(path.read_bytes())
    found["created"] += 1
    path.write_bytes(json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    done = worked.run("audit", "card", "--out", "card", code=65)
    assert "not signed by this vault" in done.stderr
    assert not (worked.path / "card").exists()
    (worked.local / "identity").write_bytes(b"ab" * 32 + b"\n")
    assert worked.run("audit", "card", code=65).stdout == ""
    (worked.local / "identity").unlink()
    assert "cannot tell" in worked.run("audit", "card", code=2).stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("card", "--out", "passphrase"), 64),
        (("card", "--out", "nowhere/card"), 73),
        (("card", "--out", ".local/share/notevault/vault/card"), 64),
        (("card", "--out", "-"), 64),
        (("card", "--log", "xyz"), 64),
        (("card", "--log", "00000000"), 66),
        (("proof", "--entry", "0"), 64),
        (("proof", "--entry", "-1", "--out", "p"), 64),
        (("proof", "--entry", "1000000", "--out", "p"), 66),
        (("export", "--out", "run"), 64),
        (("export", "--out", "nowhere/tiles"), 73),
        (("export", "--out", ".local/share/notevault/vault/tiles"), 64),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(worked: Home, words: tuple[str, ...], code: int) -> None:
    _ = worked.passphrase  # the file that is there already
    before = sorted(worked.path.rglob("*"))
    done = worked.run("audit", *words, code=code)
    assert done.stderr.startswith("notevault: ")
    assert sorted(worked.path.rglob("*")) == before


def test_one_entry_is_proven_by_a_file_alone(worked: Home) -> None:
    size = worked.log_size()
    for number in (0, 3, size - 1):
        worked.run("audit", "proof", "--entry", str(number), "--out", f"proof-{number}")
        found = proof.parse((worked.path / f"proof-{number}").read_bytes())
        assert isinstance(found, proof.Proof)
        assert found.index == number
        pinned = cards.parse(card_file(worked))
        assert isinstance(pinned, cards.Card)
        held = proof.check(found, pinned.identity_pub, origin=pinned.origin)
        assert isinstance(held, checkpoint.Checkpoint)
        assert held.size == size


def test_a_log_that_does_not_hold_gives_neither_proof_nor_export(worked: Home) -> None:
    path = log_folder(worked) / "open"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for words in (("proof", "--entry", "0", "--out", "p"), ("export", "--out", "tiles")):
        assert "audit verify" in worked.run("audit", *words, code=65).stderr
    assert not (worked.path / "p").exists()
    assert not (worked.path / "tiles").exists()


def test_the_exported_log_is_whole_and_signed(worked: Home) -> None:
    (facts,) = [json.loads(line) for line in worked.run("--json", "audit", "export", "--out", "t").stdout.splitlines()]
    pinned = cards.parse(card_file(worked))
    assert isinstance(pinned, cards.Card)
    found = tiles.check(folder_reader(worked.path / "t"), pinned.identity_pub)
    assert isinstance(found, checkpoint.Checkpoint)
    assert found.size == facts["size"] == worked.log_size()


@pytest.mark.slow
def test_the_cards_of_older_logs_are_named_and_shown_when_asked_for(worked: Home) -> None:
    old = log_folder(worked)
    shutil.rmtree(worked.local)
    worked.key_file.unlink()
    new = worked.file("new", "five green kettles sing at dawn\n")
    worked.run("recover", "--sheet", str(worked.sheet), "--passphrase-file", new)
    done = worked.run("audit", "card", "--plain")
    (current,) = {folder.name for folder in worked.vault.glob("audit/*")} - {old.name}
    assert f"notevault/{current}" in done.stdout
    assert f"notevault/{old.name}" in done.stderr
    worked.run("audit", "card", "--log", old.name[:8], "--out", "older")
    assert (worked.path / "older").read_bytes() == (old / "card").read_bytes()
    worked.run("audit", "export", "--log", old.name, "--out", "tiles")
    assert f"notevault/{old.name}\n" in (worked.path / "tiles/checkpoint").read_text("utf-8")
    assert "2 logs" in worked.run("audit", "verify").stdout
