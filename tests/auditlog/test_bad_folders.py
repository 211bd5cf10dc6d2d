"""Whatever lies in the folder: a verdict with a place, soon, in little memory, and never an exception."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog.vaultcheck import check_vault
from tests.auditlog import forge, sample
from tests.auditlog.forge import Forge, busy

SPARSE = 10 * 1024**3
SECONDS, MEGABYTES = 30, 200
PROGRAM = """
import json, pathlib, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.path.insert(0, sys.argv[1])
from notevault.auditlog.vaultcheck import check_vault
for line in sys.stdin:
    folder, card = json.loads(line)
    began = time.perf_counter()
    verdict = check_vault(folder, card=card)
    took = time.perf_counter() - began
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # the other figure keeps, across exec, what the large parent had
        memory = int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = [[one.code, one.weight.value, one.sentence] for one in verdict.findings]
    print(json.dumps([verdict.exit_code, took, memory, found]), flush=True)
"""


class Child:
    """The check in a process of its own, with a limit on its memory; asked again and again."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, folder: Path, card: str) -> tuple[int, list[list[str]]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(folder), card]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.process.stderr.read() if self.process.stderr else ""
        code, took, memory, found = json.loads(answer)
        assert took < SECONDS
        assert memory < MEGABYTES
        return code, found

    def end(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self.process.wait(60)


@pytest.fixture(scope="module")
def child() -> Any:
    child = Child()
    yield child
    child.end()


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    """Two bundles and some, two epochs, key files, notes, an anchor of its own."""
    forged = busy(tmp_path / "vault", 600, days=8, epochs=2)
    forged.logs[0].anchor(forged.folder / "anchors", 100)
    return forged


def kinds(vault: Forge) -> dict[str, Path]:
    """One file of each kind."""
    log = vault.logs[0]
    names = ("card", "checkpoint", "open", "entries/000", "hashes", "seals/00000000")
    digest = sorted(vault.blobs)[0]
    newest = vault.header_path(len(vault.headers))
    anchor = next((vault.folder / "anchors" / log.origin).iterdir())
    return {name: log.folder / name for name in names} | {
        "header": newest, "blob": vault.blob_path(digest), "anchor": anchor,
    }  # fmt: skip


KINDS = ("card", "checkpoint", "open", "entries/000", "hashes", "seals/00000000", "header", "blob", "anchor")
SPARE = ("hashes", "anchor")  # a cache, and a copy that vouches for nothing here: their loss changes no verdict


def _sparse(path: Path) -> None:
    path.write_bytes(b"")
    os.truncate(path, SPARSE)


def _grown(path: Path) -> None:
    os.truncate(path, SPARSE)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "x").write_bytes(b"x")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _link(path: Path) -> None:
    """To the true bytes, elsewhere: still not followed."""
    aside = path.parent.parent / f"{path.name}.true"
    path.rename(aside)
    path.symlink_to(aside)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _deep(path: Path) -> None:
    path.write_bytes(b'{"a":' * 200 + b"[" * 100_000)


SPOILERS: dict[str, Callable[[Path], None]] = {
    "sparse": _sparse, "grown": _grown, "empty": lambda path: path.write_bytes(b"") and None, "pipe": _pipe,
    "folder": _folder, "loop": _loop, "link": _link, "device": _device, "deep": _deep,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_bad_file_of_any_kind_is_named_soon_and_cheaply(child: Child, vault: Forge, kind: str, spoiler: str) -> None:
    path = kinds(vault)[kind]
    SPOILERS[spoiler](path)
    code, found = child.check(vault.folder, vault.fingerprint)
    if kind in SPARE or (kind, spoiler) == ("open", "grown"):  # bytes beyond the signed ones count nowhere
        assert code == 0
        return
    assert code in (1, 2)
    words = " ".join(sentence for _, weight, sentence in found if weight != "note")
    place = {"header": "key file", "blob": "blobs/", "seals/00000000": "seal", "entries/000": "entries"}.get(kind, kind)
    assert place in words.lower() or "REWRITTEN" in words or "TRUNCATED" in words


def test_a_bad_file_with_the_card_in_hand_is_named(child: Child, vault: Forge) -> None:
    for spoil in SPOILERS.values():
        log = vault.logs[0]
        path = log.folder / "card"
        spoil(path)
        verdict = check_vault(vault.folder, card=vault.card, verify=sample.verify)
        assert verdict.exit_code in (1, 2)
        if path.is_dir() and not path.is_symlink():
            (path / "x").unlink()
            path.rmdir()
        else:
            path.unlink()
        path.write_bytes(log.card)
    assert child.check(vault.folder, vault.fingerprint)[0] == 0


FOLDERS = ("audit", "headers", "blobs", "anchors")


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("inner", [False, True])
def test_links_loops_and_files_in_place_of_folders_are_not_followed(
    child: Child, vault: Forge, name: str, inner: bool
) -> None:
    folder = vault.folder / name
    if inner:
        folder = sorted(folder.iterdir())[0]
    aside = vault.folder.parent / "aside"
    folder.rename(aside)
    for make in (lambda: folder.symlink_to(aside), lambda: folder.symlink_to(folder.name), folder.touch):
        make()
        code, found = child.check(vault.folder, vault.fingerprint)
        assert code in ((0, 2) if name == "anchors" else (1, 2))
        assert found
        folder.unlink()


@pytest.mark.parametrize("name", ["entries", "seals"])
def test_a_logs_own_folders_may_be_anything(child: Child, vault: Forge, name: str) -> None:
    folder = vault.logs[0].folder / name
    aside = vault.folder.parent / "aside"
    folder.rename(aside)
    for make in (lambda: folder.symlink_to(aside), lambda: folder.symlink_to(folder.name), folder.touch):
        make()
        assert child.check(vault.folder, vault.fingerprint)[0] in (1, 2)
        folder.unlink()


def test_every_file_empty_is_no_pass(child: Child, vault: Forge) -> None:
    for path in vault.files():
        path.write_bytes(b"")
    for card in (vault.fingerprint, "ab" * 16):
        assert child.check(vault.folder, card)[0] in (1, 2)
    assert check_vault(vault.folder, card=vault.card).exit_code == 1


def test_names_of_odd_bytes_are_counted_and_not_spoken(child: Child, vault: Forge) -> None:
    log = vault.logs[0]
    for folder in (vault.folder, log.folder, vault.folder / "blobs", vault.folder / "headers", vault.folder / "audit"):
        for name in (b"\xff\xfe", b"a\nb", b"\x1b[2J", b"x" * 250, "ä\u202e".encode()):
            with open(os.fsencode(folder) + b"/" + name, "wb") as file:
                file.write(b"x")
    code, found = child.check(vault.folder, vault.fingerprint)
    assert code == 0
    assert all(sentence.isprintable() for _, _, sentence in found)
    odd = vault.folder.parent / os.fsdecode(b"\xff\x1b")
    assert check_vault(odd).findings[0].sentence.isprintable()


def test_a_hundred_thousand_strange_files_among_the_notes_are_only_counted(child: Child, vault: Forge) -> None:
    folder = vault.folder / "blobs" / "ab"
    folder.mkdir(exist_ok=True)
    for number in range(100_000):
        os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
    code, found = child.check(vault.folder, vault.fingerprint)
    assert code == 0
    assert any(name == "STRAY" and "100,000 files" in sentence for name, _, sentence in found)


def test_many_unlogged_notes_logs_and_key_files_end_soon(child: Child, vault: Forge) -> None:
    chance = random.Random(3)
    for _ in range(5000):
        digest = f"{chance.randrange(2**256):064x}"
        forge.put(vault.blob_path(digest), b"")
        forge.put(vault.folder / "headers" / vault.logs[0].origin / f"{chance.randrange(1, 10**8):08d}-{digest}", b"{}")
    for _ in range(1500):
        (vault.folder / "audit" / f"{chance.randrange(2**128):032x}").mkdir()
    code, found = child.check(vault.folder, vault.fingerprint)
    assert code == 2
    assert len(found) < 200


# -- giant numbers


def _signed(log: forge.ForgedLog, size: int, epoch: int) -> bytes:
    return log.statement(size, bytes(32), epoch)


@pytest.mark.parametrize("size", [0, 1, 2**53 - 1])
@pytest.mark.parametrize("epoch", [0, 1, 2**53 - 1])
def test_any_signed_size_and_epoch_end_soon(child: Child, vault: Forge, size: int, epoch: int) -> None:
    log = vault.logs[0]
    log.sign(_signed(log, size, epoch))
    assert child.check(vault.folder, vault.fingerprint)[0] == 1


@pytest.mark.parametrize("text", ["9" * 3000, "-1", "1e9", "007", "18446744073709551616"])
def test_a_size_that_is_no_plain_number_is_refused(child: Child, vault: Forge, text: str) -> None:
    log = vault.logs[0]
    log.sign(log.signed().replace(f"\n{log.size}\n".encode(), f"\n{text}\n".encode(), 1))
    code, found = child.check(vault.folder, vault.fingerprint)
    assert (code, found[0][0]) == (1, "FORGED")


def test_a_giant_size_logged_for_a_note_is_compared_before_anything_is_read(child: Child, tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    digest = log.write(b"small")
    log.add("record.write", c="ab" * 32, z=2**53 - 1)
    vault.store()
    _sparse(forge.put(vault.blob_path("ab" * 32), b""))
    code, found = child.check(vault.folder, vault.fingerprint)
    assert code == 1
    assert [name for name, weight, _ in found if weight == "tampered"] == ["BLOB_CHANGED"]
    assert digest not in found[0][2]


def test_giant_numbers_in_a_key_file_and_its_name_are_taken_calmly(child: Child, tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    log.add("header.write", k={"seq": 2**53 - 1, "why": "policy"})
    vault.store()
    kept = vault.make_header(log, 2**53 - 1, seq=99_999_999, generation=2**53 - 1)
    forge.put(vault.folder / "headers" / log.origin / f"{kept.seq:08d}-{kept.digest}", kept.data)
    forge.put(vault.folder / "headers" / log.origin / f"00000000-{kept.digest}", kept.data)
    forge.put(vault.folder / "headers" / log.origin / f"999999999-{kept.digest}", kept.data)
    code, found = child.check(vault.folder, vault.fingerprint)
    assert code == 1
    assert {"HEADER_AHEAD", "HEADER_MISSING"} <= {name for name, _, _ in found}


def test_anchors_with_giant_names_prove_nothing(child: Child, vault: Forge) -> None:
    folder = vault.folder / "anchors" / vault.logs[0].origin
    for size in ("9" * 16, "9007199254740991", "0", "01", "-5", "9" * 150):
        forge.put(folder / f"{size}-{'ab' * 32}", b"x")
    assert child.check(vault.folder, vault.fingerprint)[0] == 0


def test_a_header_of_deep_or_endless_json_is_refused(child: Child, vault: Forge) -> None:
    log = vault.logs[0]
    for number, data in enumerate((b"[" * 4_000_000, b'{"a":' * 800_000, b'{"a":1' + b"0" * 4_000_000 + b"}\n")):
        digest = hashlib.sha256(data).hexdigest()
        forge.put(vault.folder / "headers" / log.origin / f"{90 + number:08d}-{digest}", data)
    code, found = child.check(vault.folder, vault.fingerprint)
    assert (code, [name for name, _, _ in found].count("HEADER_UNNAMED")) == (0, 1)


def test_entries_of_deep_json_and_impossible_lengths_are_placed(child: Child, vault: Forge) -> None:
    log = vault.logs[0]
    for bad in (b"[" * 16_000, b'{"v":' * 3000, b"\xff" * 100, b'{"i":' + b"9" * 16_000 + b"}"):
        log.lay([*log.entries[:10], bad, *log.entries[11:]])
        code, found = child.check(vault.folder, vault.fingerprint)
        assert code == 1
        assert any(name == "REWRITTEN" and "first sign: entry 10" in text for name, _, text in found)
    (log.folder / "open").write_bytes(b"\xff\xff" * 100)
    assert child.check(vault.folder, vault.fingerprint)[0] == 1
