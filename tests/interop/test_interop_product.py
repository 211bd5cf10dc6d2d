"""A log that the product itself wrote, on a real disk: Go accepts it, and finds the one byte that was changed."""

from __future__ import annotations

from pathlib import Path

from notevault.auditlog import checkpoint, proof, tiles
from notevault.auditlog.fault import sound
from notevault.auditlog.folder import folder_reader
from notevault.crypto import kdf
from notevault.domain import clients, notes
from notevault.storage.layout import VaultPaths
from notevault.vault import epochs, found
from notevault.vault.notebook import Notebook
from tests.auditlog.forge import put
from tests.bench.vaults import PASSPHRASE, Home, build
from tests.interop import logs
from tests.interop.conftest import Checklog


def only_log(home: Home) -> Path:
    (folder,) = VaultPaths(home.vault).all_audit.iterdir()
    return folder


def test_go_accepts_the_log_of_a_vault_that_was_worked_in(checklog: Checklog, tmp_path: Path) -> None:
    """300 notes imported, so that a bundle is full and another begun."""
    home = build(tmp_path / "home", 300)
    folder = only_log(home)
    said = checklog(folder)
    assert (said.code, said.failures) == (0, [])
    read = folder_reader(folder)
    state = sound(tiles.export(read, tmp_path / "tiles"))
    put(tmp_path / "one", sound(proof.make(read, state.size - 1)).encode())
    assert checklog("-tiles", tmp_path / "tiles", "-proof", tmp_path / "one", folder).code == 0
    logs.spoil(folder / "open", -9)
    changed = checklog(folder)
    assert (changed.code, any("root" in line for line in changed.failures)) == (1, True)


def test_go_follows_the_product_from_epoch_to_epoch(checklog: Checklog, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    env = home.env()
    session, _ = found.create(env, home.vault, kdf.normalise(PASSPHRASE), kdf.CHEAPEST)
    now = env.clock.wall_ms()
    anchors = tmp_path / "anchors"
    for day in range(4):
        person = clients.new_client(f"Somebody {day}", f"C-{day:04d}", None, now)
        Notebook(session).import_all([(person, notes.Note(f"note {i}", now, 0, now, now)) for i in range(3)])
        kept = (only_log(home) / "checkpoint").read_bytes()
        state = sound(checkpoint.parse(kept))
        put(anchors / f"{state.size}-{state.root.hex()}", kept)
        epochs.close_epoch(session)
    session.close("exit")
    folder = only_log(home)
    said = checklog("-anchors", anchors, folder)
    assert (said.code, said.failures) == (0, [])
    seals = sorted(path.name for path in (folder / "seals").iterdir())
    assert len(seals) >= 4
    assert all(f"ok seal {name}" in said.lines for name in seals)
    (folder / "seals" / seals[2]).unlink()
    assert any(line.startswith(f"FAIL seal {seals[2]}: it is missing") for line in checklog(folder).failures)
