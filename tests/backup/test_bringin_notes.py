"""After bringing in: what was written on the old laptop is read here, and of what both wrote nothing is hidden."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup import model
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.elsewhere.bringin import bring_in
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.model import PlaceFile
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.places.registry import Places
from notevault.backup.source import guard
from notevault.backup.source.reading import read_vault
from notevault.crypto import signing
from notevault.domain.clients import Client
from notevault.ports import Volume
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.verify import verify
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.restoring_run import NEW_PASSPHRASE, bring_back
from tests.backup.scene import DEVICE
from tests.backup.vaults import Made
from tests.cli.homes import Home
from tests.fakes.simple import MORNING_MS, FakeClock


class Branches:
    """Stick A, a day's work, stick B; the laptop gone; restored from A with the sheet, and another day's work."""

    def __init__(self, tmp: Path, notes: int = 3) -> None:
        self.tmp = tmp
        self.old = vaults.small(tmp / "old", notes=notes)
        lay(self.old.vault, self.old.hex, tmp / "A")
        session = self.old.session()
        book = Notebook(session)
        (client,) = book.clients()
        self.ids = [view.id for view in book.notes()]
        self.only_b = book.add_note(client.id, vaults._note("Only on stick B.")).id
        self.newcomer = book.add_client(Client("Bo Lind", "C-2", None, MORNING_MS)).id
        book.add_note(self.newcomer, vaults._note("Bo came for the first time."))
        book.revise(self.ids[0], vaults._note("As the old laptop had it."))
        book.revise(self.ids[1], vaults._note("Old, second version."))
        book.revise(self.ids[1], vaults._note("Old, third version."))
        book.update_client(client.id, replace(client.client, note="moved to Elm Street"))
        session.close("exit")
        self.b = lay(self.old.vault, self.old.hex, tmp / "B")
        (self.closed,) = [path.name for path in (self.old.vault / "audit").iterdir()]
        self.home = tmp / "new"
        bring_back(self.home, vaults._vault(self.home), self.old.sheet, [tmp / "A"])
        self.made = Made(self.home, self.old.vault_id, self.old.sheet, NEW_PASSPHRASE)
        session = self.made.session()
        book = Notebook(session)
        (client,) = book.clients()
        self.client = client.id
        book.revise(self.ids[0], vaults._note("As the new laptop has it."))
        book.revise(self.ids[1], vaults._note("New, second version."))
        self.only_new = book.add_note(client.id, vaults._note("Only on the new laptop.")).id
        book.update_client(client.id, replace(client.client, note="has a new number"))
        session.close("exit")

    @property
    def ground(self) -> Ground:
        clock = FakeClock(MORNING_MS + 400 * 24 * 3600 * 1000)
        files = DiskFiles()
        return Ground(files, clock, Places(files, self.made.own), self.made.vault, DiskTree(self.made.vault), DEVICE)

    def bring(self) -> int:
        ground = self.ground
        copies = [PlaceCopy(DiskTree(self.b), self.made.hex)]
        brought = bring_in(ground, read_vault(ground), copies)
        assert (brought.left, brought.problems) == (0, ())
        return brought.changes

    def go(self, name: str) -> Any:
        ground, base = self.ground, place.base(self.tmp / name, self.made.hex)
        at = PlaceFile(place.read_marker(DiskTree(base), self.made.hex).place, name, str(base), "fixed", 1)
        source = read_vault(ground)
        look = guard.look(source, ground.vault_tree, ground.places, ground.clock.wall_ms())
        tree = DiskPlace(base, DEVICE)
        return run_pass(ground, at, tree, Volume("fixed", "", base, 7), source, look, whole_log=True)


@pytest.fixture
def branches(tmp_path: Path) -> Branches:
    return Branches(tmp_path)


def is_sound(session: Session) -> None:
    assert session.read_only is None
    assert not session.findings
    found = verify(session)
    assert found.exit_code == 0, found
    verdict = check_vault(session.paths.root, vik=session.header.vik, verify=signing.verify)
    assert verdict.exit_code == 0, [str(one) for one in verdict.findings]


def every_text(book: Notebook, note_id: bytes) -> list[tuple[int, str]]:
    return [(each.version, book.open_revision(each).text) for each in book.history(note_id)]


@pytest.mark.slow
@pytest.mark.parametrize("index", [True, False])
def test_notes_of_both_laptops_are_there_and_no_text_is_hidden(branches: Branches, index: bool) -> None:
    assert branches.bring() == 7
    if not index:
        (branches.made.own / "index").unlink()
    session = branches.made.session()
    is_sound(session)
    book = Notebook(session)
    texts = {book.open_note(view.id)[1].text for view in book.notes()}
    assert {"Only on stick B.", "Bo came for the first time.", "Only on the new laptop."} <= texts
    assert [view.code for view in book.clients()] == ["C-1", "C-2"]
    first = "Note 3: slept four hours, walks each morning."
    assert every_text(book, branches.ids[0]) == [
        (1, first),
        (2, "As the old laptop had it."),
        (2, "As the new laptop has it."),
    ]
    assert book.open_note(branches.ids[0])[1].text == "As the new laptop has it.", "of one number the later one"
    assert {text for _, text in every_text(book, branches.ids[1])} >= {
        "Old, second version.",
        "Old, third version.",
        "New, second version.",
    }
    assert book.open_note(branches.ids[1])[1].text == "Old, third version."
    view = book.open_client(branches.client)
    assert view.client.note == "has a new number"
    assert [client.note for _, client in book.other_details(view)] == ["moved to Elm Street"]
    found = book.find(["stick"])
    assert found.total == 1
    told = " ".join(session.notices)
    assert "4 notes were written or changed there" in told
    assert "2 notes were changed both there and here" in told
    assert "details of 1 client were changed" in told
    after = book.revise(branches.ids[1], vaults._note("Put together from both."))
    assert after.version == 4
    fresh = book.add_client(Client("Cleo Dahl", "C-3", None, MORNING_MS))
    assert fresh.id not in (branches.client, branches.newcomer)
    session.close("exit")
    again = branches.made.session()
    assert not any("brought in" in notice for notice in again.notices), "said once"
    is_sound(again)
    again.close("exit")


@pytest.mark.slow
def test_the_backup_goes_on_to_both_sticks_and_either_gives_everything_back(branches: Branches, tmp_path: Path) -> None:
    branches.bring()
    branches.made.write("After that day.")
    texts = branches.made.texts()
    for name in ("A", "B"):
        report = branches.go(name)
        assert (report.verdict, report.problems) == (model.SAFE, ())
    for name in ("A", "B"):
        home = tmp_path / f"third-{name}"
        bring_back(home, vaults._vault(home), branches.old.sheet, [tmp_path / name])
        third = Made(home, branches.old.vault_id, branches.old.sheet, NEW_PASSPHRASE)
        assert third.texts() == texts
        session = third.session()
        is_sound(session)
        session.close("exit")


def test_an_index_that_remembers_another_past_of_the_old_log_is_made_anew(branches: Branches) -> None:
    branches.bring()
    session = branches.made.session()
    session.catalogue.cover(branches.closed, 3, bytes(32))
    session.save_snapshot()
    session.close("")
    again = branches.made.session()
    book = Notebook(again)
    assert "Only on stick B." in {book.open_note(view.id)[1].text for view in book.notes()}
    again.close("exit")


@pytest.mark.slow
def test_a_passphrase_changed_on_the_old_laptop_ends_what_can_be_brought_in(tmp_path: Path) -> None:
    from notevault.crypto import kdf
    from notevault.vault import rekey

    branches = Branches(tmp_path)
    session = branches.old.session()
    rekey.change_passphrase(session, kdf.normalise(branches.old.passphrase), kdf.CHEAPEST)
    Notebook(session).add_note(branches.client, vaults._note("Behind the new passphrase."))
    session.close("exit")
    lay(branches.old.vault, branches.old.hex, tmp_path / "B")
    ground = branches.ground
    brought = bring_in(ground, read_vault(ground), [PlaceCopy(DiskTree(branches.b), branches.made.hex)])
    assert (brought.changes, brought.left) == (7, 2)
    opened = branches.made.session()
    is_sound(opened)
    opened.close("exit")
    home = tmp_path / "apart"
    bring_back(home, vaults._vault(home), branches.old.sheet, [tmp_path / "B"])
    apart = Made(home, branches.old.vault_id, branches.old.sheet, NEW_PASSPHRASE)
    assert "Behind the new passphrase." in apart.texts(), "as the words say: from a folder of its own"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX's")
def test_cut_off_at_the_worst_moment_the_vault_still_opens_and_the_next_look_completes(tmp_path: Path) -> None:
    branches = Branches(tmp_path, notes=247)  # the old log grows over the end of a bundle
    child = os.fork()
    if child == 0:
        replace_ = DiskFiles.replace

        def killed(self: DiskFiles, path: Path, data: Any) -> None:
            if path.name == "checkpoint":
                os.kill(os.getpid(), signal.SIGKILL)
            replace_(self, path, data)

        DiskFiles.replace = killed  # type: ignore[method-assign]
        branches.bring()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    session = branches.made.session()
    assert session.read_only is None
    assert any("older log" in notice for notice in session.notices)
    book = Notebook(session)
    assert book.open_note(branches.only_new)[1].text == "Only on the new laptop."
    session.close("exit")
    assert branches.go("A").verdict == model.SAFE
    after = branches.made.session()
    assert Notebook(after).open_note(branches.only_b)[1].text == "Only on stick B."
    is_sound(after)
    after.close("exit")


@pytest.mark.slow
def test_the_commands_show_both_texts_of_one_number_and_both_details_of_a_client(branches: Branches) -> None:
    branches.bring()
    home = Home(branches.home)
    (home.path / "run").mkdir(mode=0o700, exist_ok=True)
    opened = ("--passphrase-file", home.file("new-passphrase", NEW_PASSPHRASE + "\n"))
    note = branches.ids[0].hex()
    newest = home.run("note", "show", note, *opened)
    assert newest.stdout == "As the new laptop has it.\n"
    assert "`--revision 2` shows both" in newest.stderr
    both = home.run("note", "show", note, "--revision", "2", *opened)
    assert both.stdout == "As the old laptop had it.\nAs the new laptop has it.\n"
    told = home.run("--json", "note", "show", note, "--revision", "2", *opened).stdout
    assert [json.loads(line)["text"] for line in told.splitlines()] == both.stdout.splitlines()
    assert home.run("note", "show", note, "--revision", "1", *opened).stdout.startswith("Note 3")
    client = home.run("client", "show", "C-1", *opened).stdout
    assert "has a new number" in client
    assert "Saved on another laptop" in client
    assert "moved to Elm Street" in client
    (facts,) = [json.loads(line) for line in home.run("--json", "client", "show", "C-1", *opened).stdout.splitlines()]
    assert [one["remark"] for one in facts["others"]] == ["moved to Elm Street"]
