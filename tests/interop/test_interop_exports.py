"""What leaves a log in public formats: anchors, offline proofs, tiles and cosignatures, read by Go's own packages."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.auditlog import canon, cosign, proof, sign25519, tiles
from notevault.auditlog.fault import sound
from notevault.auditlog.folder import folder_reader
from tests.auditlog.forge import ForgedLog, put
from tests.interop import logs
from tests.interop.conftest import Checklog

SEED = bytes(range(32))
WITNESS = cosign.Signer("auditor.example/w1", sign25519.public_key(SEED), SEED)
TIME = 1_763_740_800


@pytest.fixture
def log(tmp_path: Path) -> ForgedLog:
    return logs.epochs(tmp_path / "vault", 300, 600, then=100)


# -- anchors


def test_go_finds_every_anchor_to_begin_the_next_state(log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    sizes = (0, 1, 255, 256, 300, 301, 650, 700)
    for size in sizes:
        kept = log.anchor(tmp_path / "anchors", size).parent
    said = checklog("-anchors", kept, log.folder)
    assert (said.code, said.failures) == (0, [])
    assert sum(" begins " in line for line in said.lines) == len(sizes) + 2


def _longer(log: ForgedLog, folder: Path) -> None:
    log.add("session.lock")
    log.anchor(folder)


def _other_root(log: ForgedLog, folder: Path) -> None:
    put(folder / log.origin / f"650-{(b'7' * 32).hex()}", log.statement(650, b"7" * 32, 2))


def _misnamed(log: ForgedLog, folder: Path) -> None:
    path = log.anchor(folder, 650)
    path.rename(path.with_name(path.name.replace("650", "651", 1)))


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (_longer, "it is of 701 entries, the log has 700"),
        (_other_root, "signed for 650 entries is"),
        (_misnamed, "its name is not what it signs"),
        (lambda log, folder: logs.spoil(log.anchor(folder, 650), 80), "FAIL anchor 650-"),
    ],
    ids=["a longer log", "another root", "another name", "a changed byte"],
)
def test_go_refuses_an_anchor_that_is_not_of_this_log(
    tamper: Callable[[ForgedLog, Path], None], named: str, log: ForgedLog, checklog: Checklog, tmp_path: Path
) -> None:
    tamper(log, tmp_path / "anchors")
    said = checklog("-anchors", tmp_path / "anchors" / log.origin, log.folder)
    assert said.code == 1
    assert any(named in line for line in said.failures), said.lines


# -- offline proofs


@pytest.mark.parametrize("size", logs.SIZES[1:])
def test_go_accepts_our_offline_proofs_and_makes_the_same(size: int, checklog: Checklog, tmp_path: Path) -> None:
    folder = logs.plain(tmp_path / "vault", size)
    for index in {0, size // 2, size - 1, min(255, size - 1), min(256, size - 1)}:
        text = sound(proof.make(folder_reader(folder), index))
        put(tmp_path / "one", text.encode())
        alone = checklog("-card", folder / "card", "-proof", tmp_path / "one")
        assert (alone.code, alone.lines) == (0, ["ok card", "ok proof of one entry"])
        assert checklog("-proof", tmp_path / "one", folder).code == 0


def test_go_accepts_a_proof_under_an_older_seal(log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    text = sound(proof.make(folder_reader(log.folder), 299, log.seals[0]))
    put(tmp_path / "one", text.encode())
    assert checklog("-proof", tmp_path / "one", log.folder).code == 0


def _line(text: str, number: int, new: Callable[[str], str]) -> str:
    lines = text.split("\n")
    lines[number] = new(lines[number])
    return "\n".join(lines)


def _flipped(line: str) -> str:
    return base64.b64encode(logs.flip(sound(canon.unbase64(line)), 7)).decode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: _line(text, 5, _flipped), "entry 123: invalid transparency proof"),
        (lambda text: _line(text, 1, lambda line: "extra " + _flipped(line[6:])), "entry 123: invalid transparency"),
        (lambda text: _line(text, 2, lambda _: "index 124"), "entry 124: invalid transparency proof"),
        (lambda text: _line(text, 2, lambda _: "index 0123"), "no index"),
        (lambda text: _line(text, 4, lambda line: line[:-4]), "line 5: not a hash of 32 bytes"),
        (lambda text: text.replace(text.split("\n")[3] + "\n", ""), "entry 123: invalid transparency proof"),
        (lambda text: text[:-60], "malformed note"),
    ],
    ids=["a hash", "the entry", "the index", "the index's spelling", "a short hash", "a hash less", "cut"],
)
def test_go_refuses_a_changed_offline_proof(
    change: Callable[[str], str], named: str, log: ForgedLog, checklog: Checklog, tmp_path: Path
) -> None:
    text = sound(proof.make(folder_reader(log.folder), 123))
    assert change(text) != text
    put(tmp_path / "one", change(text).encode())
    said = checklog("-card", log.folder / "card", "-proof", tmp_path / "one")
    assert said.code == 1
    assert said.failures[0].startswith("FAIL proof of one entry: ")
    assert named in said.failures[0]


@pytest.mark.slow
def test_no_single_changed_byte_of_a_proof_escapes_go(log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    text = sound(proof.make(folder_reader(log.folder), 123)).encode()
    for at in range(0, len(text), 7):
        put(tmp_path / "one", text[:at] + bytes([text[at] ^ 1 << at % 7]) + text[at + 1 :])
        assert checklog("-proof", tmp_path / "one", log.folder).code == 1, at


# -- tiles


@pytest.mark.parametrize("size", logs.SIZES)
def test_go_reads_our_tiles_and_finds_the_signed_root(size: int, checklog: Checklog, tmp_path: Path) -> None:
    folder = logs.plain(tmp_path / "vault", size)
    sound(tiles.export(folder_reader(folder), tmp_path / "tiles"))
    for given in (("-tiles", tmp_path / "tiles", folder), ("-card", folder / "card", "-tiles", tmp_path / "tiles")):
        said = checklog(*given)
        assert (said.code, said.failures) == (0, [])


def test_go_reads_tiles_of_three_levels(checklog: Checklog, tmp_path: Path) -> None:
    from tests.auditlog.sample import Log

    log = Log.of([b"%d" % i for i in range(65_537)])
    sound(tiles.export(log.read, tmp_path / "tiles"))
    assert (tmp_path / "tiles/tile/2/000.p/1").is_file()
    card = put(tmp_path / "card", log.files["card"])
    assert checklog("-card", card, "-tiles", tmp_path / "tiles").code == 0


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("tile/0/001", "FAIL tiles: tile/0/001: its hashes are not those"),
        ("tile/0/002.p/188", "FAIL tiles: tile/0/002.p/188: its hashes are not those"),
        ("tile/1/000.p/2", "FAIL tiles: tile/1/000.p/2: its hashes are not those"),
        ("tile/entries/001", "FAIL tiles: tile/0/001: its hashes are not those"),
        ("checkpoint", "FAIL checkpoint of the tiles"),
    ],
)
def test_go_refuses_changed_tiles(name: str, named: str, log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    sound(tiles.export(folder_reader(log.folder), tmp_path / "tiles"))
    logs.spoil(tmp_path / "tiles" / name, 100)
    said = checklog("-card", log.folder / "card", "-tiles", tmp_path / "tiles")
    assert said.code == 1
    assert any(named in line for line in said.failures), said.lines


@pytest.mark.parametrize("name", ["tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/188", "checkpoint"])
def test_go_refuses_missing_and_cut_tiles(name: str, log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    for change in (lambda path: put(path, path.read_bytes()[:-1]), lambda path: path.unlink()):
        sound(tiles.export(folder_reader(log.folder), tmp_path / "tiles"))
        change(tmp_path / "tiles" / name)
        said = checklog("-card", log.folder / "card", "-tiles", tmp_path / "tiles")
        assert said.code == 1
        assert name.split("/")[-1] in said.failures[0] or name == "checkpoint"
        shutil.rmtree(tmp_path / "tiles")


def test_go_refuses_tiles_of_other_entries(log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    """Entries and hashes fit together, but were never signed."""
    sound(tiles.export(folder_reader(log.folder), tmp_path / "tiles"))
    signed = log.signed()
    log.rewrite(650, lambda values: values.update(t=values["t"] + 1))
    sound(tiles.export(folder_reader(log.folder), tmp_path / "others"))
    put(tmp_path / "others/checkpoint", signed)
    said = checklog("-card", log.folder / "card", "-tiles", tmp_path / "others")
    assert said.failures == ["FAIL leaf hashes through the tile reader: downloaded inconsistent tile"]
    assert checklog("-tiles", tmp_path / "tiles", log.folder).failures[0].startswith("FAIL tiles are of this log")


# -- cosignatures


def test_go_accepts_a_cosignature_made_on_the_standard_library(
    log: ForgedLog, checklog: Checklog, tmp_path: Path
) -> None:
    data = cosign.make(log.signed(), WITNESS.name, WITNESS.pub, lambda text: sign25519.sign(SEED, text), TIME)
    put(tmp_path / "cosigned", data)
    key = cosign.witness_text(WITNESS.witness)
    said = checklog("-card", log.folder / "card", "-cosigned", tmp_path / "cosigned", "-witness", key)
    assert (said.code, said.lines) == (0, ["ok card", f"witnessed 700 entries at {TIME}", "ok cosignature"])
    text = sound(proof.make(folder_reader(log.folder), 42, data))
    put(tmp_path / "one", text.encode())
    assert checklog("-proof", tmp_path / "one", log.folder).code == 0


@pytest.mark.parametrize("what", ["signature", "time", "other witness", "no cosignature", "other state"])
def test_go_refuses_a_cosignature_that_does_not_hold(
    what: str, log: ForgedLog, checklog: Checklog, tmp_path: Path
) -> None:
    data = cosign.make(log.signed(), WITNESS.name, WITNESS.pub, lambda text: sign25519.sign(SEED, text), TIME)
    key = cosign.witness_text(WITNESS.witness)
    head, _, value = data.decode().rstrip("\n").rpartition(" ")
    line = sound(canon.unbase64(value))
    if what == "other witness":
        key = cosign.witness_text(cosign.Witness(WITNESS.name, sign25519.public_key(bytes(32))))
    elif what == "no cosignature":
        data = log.signed()
    elif what == "other state":
        data = log.signed(650, 2) + data[data.rindex("\u2014".encode()) :]
    else:
        line = logs.flip(line, 20 if what == "signature" else 11)
        data = f"{head} {base64.b64encode(line).decode()}\n".encode()
    put(tmp_path / "cosigned", data)
    said = checklog("-card", log.folder / "card", "-cosigned", tmp_path / "cosigned", "-witness", key)
    assert said.code == 1
    assert said.failures[0].startswith("FAIL cosignature: ")
