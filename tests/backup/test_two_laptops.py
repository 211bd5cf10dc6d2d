"""Two laptops that go on from one backup and back up to one place: a restore brings both, with either sheet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app import drilling, opening, restoring
from notevault.app.adding import client_by_code
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.backup.copies.copies import open_copies
from notevault.backup.model import SAFE, Head, Neighbour, PlaceFile, PlaceState, Waiting
from notevault.backup.places.forms import decode_state, encode_state
from notevault.backup.restore.plan import decide
from notevault.backup.restore.restore import restore
from notevault.backup.status.status import GREEN, status_of
from notevault.backup.words.status import others_words
from notevault.crypto import kdf, signing
from notevault.domain.clients import Client
from notevault.errors import Refused, UsageFault
from notevault.formats import sheet
from notevault.vault import rekey, unlock
from notevault.vault.gather import unlisted
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.survey import TWO_LAPTOPS
from notevault.vault.verify import verify
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.restoring_run import NEW_PASSPHRASE, bring_back
from tests.backup.vaults import Made
from tests.fakes.simple import MORNING_MS

DAY = 86_400_000


class Laptops:
    """One vault, restored on laptops of these names from the place, which each of them then backs up to."""

    def __init__(self, tmp: Path, names: str = "ab") -> None:
        self.tmp = tmp
        self.old = vaults.small(tmp / "old", notes=3)
        self.place = tmp / "stick"
        self.back_up(self.old)
        self.made = {name: self.restore(name) for name in names}

    def back_up(self, made: Made) -> None:
        lay(made.vault, made.hex, self.place)

    def restore(self, name: str, code: str | None = None) -> Made:
        home = self.tmp / name
        bring_back(home, vaults._vault(home), code or self.old.sheet, [self.place])
        return Made(home, self.old.vault_id, code or self.old.sheet, NEW_PASSPHRASE)

    def work(self, name: str, text: str, made: Made | None = None) -> None:
        """A note, a new client with a note, and a backup."""
        made = made or self.made[name]
        session = made.session()
        book = Notebook(session)
        book.add_note(book.clients()[0].id, vaults._note(text))
        new = book.add_client(Client(f"New of {name}", f"N-{name.upper()}", None, MORNING_MS)).id
        book.add_note(new, vaults._note(f"New {text}"))
        session.close("exit")
        self.back_up(made)


@pytest.fixture
def laptops(tmp_path: Path) -> Laptops:
    return Laptops(tmp_path)


FIRST = {f"Note {number}: slept four hours, walks each morning." for number in (1, 2, 3)}


def is_sound(session: Session) -> None:
    assert session.read_only is None
    assert session.findings == []
    found = verify(session)
    assert found.exit_code == 0, found
    verdict = check_vault(session.paths.root, vik=session.header.vik, verify=signing.verify)
    assert verdict.exit_code == 0, [str(one) for one in verdict.findings]


def texts(session: Session) -> set[str]:
    book = Notebook(session)
    return {book.open_note(view.id)[1].text for view in book.notes()}


@pytest.mark.slow
def test_a_restore_brings_what_both_laptops_saved(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    made = laptops.restore("c")
    session = made.session()
    is_sound(session)
    assert texts(session) == FIRST | {"by A", "New by A", "by B", "New by B"}
    assert {view.code for view in Notebook(session).clients()} == {"C-1", "N-A", "N-B"}
    assert len(session.header.origins) == 4
    assert session.header.seq == 3
    session.close("exit")
    laptops.work("c", "by C", made)
    assert {"by A", "by B", "by C"} <= made.texts()


@pytest.mark.slow
def test_both_go_on_after_it_and_the_next_restore_has_all(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    made = laptops.restore("c")
    laptops.work("c", "by C", made)
    session = laptops.made["a"].session()
    book = Notebook(session)
    book.add_note(book.clients()[0].id, vaults._note("A again"))
    rekey.change_passphrase(session, kdf.normalise("four green doors in a quiet street"), kdf.CHEAPEST)
    session.close("exit")
    laptops.back_up(laptops.made["a"])
    laptops.work("b", "by B")
    last = laptops.restore("d")
    session = last.session()
    is_sound(session)
    assert {"by A", "A again", "by B", "by C"} <= texts(session)
    assert session.header.seq == 4


def test_of_a_note_that_both_revised_both_texts_are_in_its_history(laptops: Laptops) -> None:
    ids = []
    for name in "ab":
        session = laptops.made[name].session()
        book = Notebook(session)
        note = min(book.notes(), key=lambda view: view.id)
        ids.append(note.id)
        book.revise(note.id, vaults._note(f"revised by {name}"))
        session.close("exit")
        laptops.back_up(laptops.made[name])
    assert ids[0] == ids[1]
    session = laptops.restore("c").session()
    is_sound(session)
    book = Notebook(session)
    found = [book.open_revision(each).text for each in book.history(ids[0])]
    assert found[1:] == ["revised by a", "revised by b"]
    assert book.open_note(ids[0])[1].text == "revised by b"


def test_two_clients_who_were_given_one_code_stay_two_and_are_told_of(laptops: Laptops) -> None:
    for name in "ab":
        session = laptops.made[name].session()
        book = Notebook(session)
        new = book.add_client(Client(f"Client {name}", "C-2", None, MORNING_MS)).id
        book.add_note(new, vaults._note(f"about {name}"))
        session.close("exit")
        laptops.back_up(laptops.made[name])
    home = laptops.tmp / "c"
    to = vaults._vault(home)
    copies = restoring.find([laptops.place], DiskTree, None)
    restore(copies, decide(copies).choice, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))
    code = sheet.parse_sheet(laptops.old.sheet)
    made = Made(home, laptops.old.vault_id, laptops.old.sheet, NEW_PASSPHRASE)
    session = opening.recover_vault(made.env(), to, code.seed, code.fingerprint, NEW_PASSPHRASE, kdf.CHEAPEST)
    assert any("Both are brought together here: 1 note came from it." in each for each in session.notices)
    assert any("Two clients have one code now" in each and "C-2" in each for each in session.notices)
    book = Notebook(session)
    with pytest.raises(UsageFault, match="2 clients have the code C-2, each given on another laptop"):
        client_by_code(book, "C-2")
    for name in "ab":
        view = client_by_code(book, f"Client {name}")
        assert {book.open_note(each.id)[1].text for each in book.notes() if each.client_id == view.id} == {
            f"about {name}"
        }
    book.update_client(client_by_code(book, "Client b").id, Client("Client b", "C-3", None, MORNING_MS))
    assert client_by_code(book, "C-2").name == "Client a"
    session.close("exit")


@pytest.mark.slow
def test_a_sheet_that_one_of_them_replaced_opens_all_the_same_and_is_told_of(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    session = laptops.made["a"].session()
    kit = rekey.new_sheet(session)
    session.close("exit")
    laptops.back_up(laptops.made["a"])
    newer = "-".join(sheet.encode(kit.seed, kit.fingerprint))
    for name, code in (("c", laptops.old.sheet), ("d", newer)):
        home = laptops.tmp / name
        bring_back(home, vaults._vault(home), code, [laptops.place])
        session = Made(home, laptops.old.vault_id, code, NEW_PASSPHRASE).session()
        is_sound(session)
        assert {"by A", "New by A", "by B", "New by B"} <= texts(session)
        session.close("exit")
    lay(vaults._vault(laptops.tmp / "d"), laptops.old.hex, laptops.place)
    with pytest.raises(Refused, match="replaced"):  # D's key file knows of both, and of A's new sheet alone
        laptops.restore("e")
    assert "by A" in laptops.restore("f", newer).texts()


@pytest.mark.slow
def test_the_newest_numbers_are_above_all(laptops: Laptops) -> None:
    """Also where only the older branch is opened by the sheet."""
    session = laptops.made["b"].session()
    for _ in range(3):
        rekey.new_sheet(session)
    session.close("exit")
    laptops.back_up(laptops.made["b"])
    laptops.work("a", "by A")
    session = laptops.restore("c").session()
    is_sound(session)
    assert session.header.seq == 6


@pytest.mark.slow
def test_without_the_sheet_this_laptops_own_key_brings_both(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    made = laptops.made["a"]
    to, env = made.home / "again", made.env()
    copies = restoring.find([laptops.place], DiskTree, None)
    known = restoring.known_of(env, made.hex, to)
    restored = restore(copies, decide(copies).choice, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))
    session = restoring.open_here(env, known, restored, NEW_PASSPHRASE)
    is_sound(session)
    assert {"by A", "by B"} <= texts(session)
    assert session.header.seq == 3
    assert not any(b"rollback.confirm" in data for data in session.recorder.entries(0, session.recorder.tail.size))
    session.close("exit")
    session = unlock.unlock(env, to, kdf.normalise(NEW_PASSPHRASE, opening=True), shell=False)
    is_sound(session)
    assert {"by A", "by B"} <= texts(session)
    session.close("exit")


@pytest.mark.slow
def test_opened_as_it_was_restored_it_can_only_be_read_until_both_are_brought_together(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    made = laptops.made["a"]
    to, env = made.home / "again", made.env()
    copies = restoring.find([laptops.place], DiskTree, None)
    restore(copies, decide(copies).choice, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))
    (made.vault).rename(made.home / "gone")
    session = unlock.unlock(env, to, kdf.normalise(NEW_PASSPHRASE, opening=True), shell=False)
    assert session.read_only == TWO_LAPTOPS
    assert {"by A", "by B"} <= texts(session)
    fresh = rekey.confirm_rollback(session)
    is_sound(fresh)
    assert {"by A", "by B"} <= texts(fresh)
    fresh.close("exit")


@pytest.mark.slow
def test_a_restored_folder_is_undecided_to_an_auditor_before_it_is_opened(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    copies = restoring.find([laptops.place], DiskTree, None)
    to = laptops.tmp / "sealed"
    restored = restore(copies, decide(copies).choice, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))
    vik = restoring.identity_in(copies, decide(copies).choice)
    assert restoring.doubts(laptops.old.env(), restored, vik) == []
    verdict = check_vault(to, vik=vik, verify=signing.verify)
    assert verdict.of(Weight.TAMPERED) == []
    assert verdict.exit_code == 2


def test_a_log_that_nobody_of_this_vault_signed_is_not_taken_in(laptops: Laptops, tmp_path: Path) -> None:
    stranger = vaults.small(tmp_path / "stranger", notes=1)
    made = laptops.made["a"]
    (theirs,) = (stranger.vault / "audit").iterdir()
    theirs.rename(made.vault / "audit" / theirs.name)
    session = made.session()
    assert unlisted(session.env, session.paths, session.header) == []
    found = verify(session)
    assert [code for code, _ in found.findings] == ["UNLISTED"]
    session.close("exit")


def test_a_missing_key_file_of_the_other_laptop_leaves_the_state_incomplete(laptops: Laptops) -> None:
    """Without it the keys of its clients are lost: the newest state is not passed off as whole."""
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    copies = restoring.find([laptops.place], DiskTree, None)
    choice = decide(copies).choice
    assert choice.whole
    assert len(choice.newest) == 2
    lower = choice.newest[-1]
    base = next((laptops.place / "notevault").glob("?" * 32))
    (base / "headers" / lower.origin / f"{lower.seq:08d}-{lower.digest}").unlink()
    copies = restoring.find([laptops.place], DiskTree, None)
    assert not copies.newest().whole
    assert decide(copies).question


@pytest.mark.slow
def test_a_practice_restore_counts_as_a_restore_would(laptops: Laptops) -> None:
    laptops.work("a", "by A")
    laptops.work("b", "by B")
    for name in "ab":
        session = laptops.made[name].session()
        copies = open_copies([laptops.place], DiskTree, session.vault_id.hex(), session.header.vik)
        known = drilling.known(session)
        done = drilling.drill(known, "stick", copies, lambda *_: None, lambda: False)
        assert (done.verdict, done.findings) == (SAFE, [])
        assert (done.notes, done.vault_notes) == (7, 5)
        assert any("2 notes there are of another laptop of yours" in each for each in done.remarks)
        session.close("exit")


@pytest.mark.slow
def test_a_practice_restore_is_no_failure_where_the_old_laptop_went_on(laptops: Laptops) -> None:
    old = laptops.old.session()
    book = Notebook(old)
    book.add_note(book.clients()[0].id, vaults._note("the old laptop went on"))
    old.close("exit")
    laptops.back_up(laptops.old)
    session = laptops.made["a"].session()
    copies = open_copies([laptops.place], DiskTree, session.vault_id.hex(), session.header.vik)
    done = drilling.drill(drilling.known(session), "stick", copies, lambda *_: None, lambda: False)
    assert (done.good, done.findings) == (True, [])
    assert any("another laptop went on with it" in each for each in done.remarks)
    session.close("exit")
    assert "the old laptop went on" in laptops.restore("c").texts()


def test_the_words_for_another_laptop() -> None:
    one = Neighbour(Head(9, bytes(32)), 12, MORNING_MS)
    now = MORNING_MS + 10 * DAY
    told = others_words({"a": one}, now, 0)
    assert told.startswith("Another laptop of yours, last seen ")
    assert told.endswith(", backs up here too: its 12 files are kept; a restore brings both.")
    assert others_words({"a": one, "b": one}, now, 0).startswith("2 other laptops of yours, last seen ")
    assert others_words({}, now, 0) == ""
    assert ": its files are kept;" in others_words({"a": replace(one, fresh=False)}, now, 0)
    assert "Nothing has been saved on it alone" in others_words({"a": replace(one, files=0)}, now, 0)
    state = PlaceState(SAFE, committed_ms=now, passed_ms=now, quick_ms=now, others={"0a" * 16: one})
    assert decode_state(encode_state(state)) == state
    place = PlaceFile("0b" * 16, "stick", "/media/stick", "fixed", MORNING_MS)
    status = status_of(place, state, [now] * 257, None, Waiting(), now, False)
    assert (status.colour, status.others) == (GREEN, told)
    assert status.facts()["others"] == 1
