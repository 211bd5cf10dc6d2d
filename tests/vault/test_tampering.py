"""Whatever is done to the files of a vault is found and named, nothing of it is believed, and notes stay readable."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.errors import Damaged, ReadOnlyVault
from notevault.storage.blobs import BlobStore
from notevault.storage.headers import HeaderStore
from notevault.vault.notebook import Notebook
from notevault.vault.verify import verify
from tests.vault.build import (
    FIRST,
    SECOND,
    House,
    note_of,
    remembered,
    small,
    texts,
)
from tests.vault.damage import files_of, flipped, found_out, opened_texts, role, without_index


def test_every_altered_byte_of_a_record_or_key_file_is_refused_by_its_name() -> None:
    house = remembered()
    blobs, headers = BlobStore(house.files, house.paths), HeaderStore(house.files, house.paths)
    (header,) = headers.candidates()
    for path in (*files_of(house, "blob"), *files_of(house, "header")):
        data = house.files.raw(path)
        for at in range(len(data)):
            house.files.put_raw(path, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(Damaged):
                _ = blobs.get(path.name, limit=1 << 20) if role(path) == "blob" else headers.read(header)
        house.files.put_raw(path, data)


def _places(house: House, wanted: str, every: int) -> Iterator[tuple[Path, int]]:
    for path in files_of(house, wanted):
        size = len(house.files.raw(path))
        yield from ((path, at) for at in {*range(0, size, every), size - 1})


@pytest.mark.parametrize("bit", [0x01, 0x80])
@pytest.mark.parametrize(
    ("wanted", "every"),
    [
        ("card", 19),
        ("checkpoint", 11),
        ("open", 251),
        pytest.param("card", 1, marks=pytest.mark.slow),
        pytest.param("checkpoint", 1, marks=pytest.mark.slow),
        pytest.param("open", 17, marks=pytest.mark.slow),
    ],
)
def test_every_altered_byte_of_the_log_is_named_and_the_notes_can_be_read(wanted: str, every: int, bit: int) -> None:
    house = remembered()
    for indexed in (True, False):
        base = house if indexed else without_index(house.copy())
        for path, at in _places(base, wanted, every):
            session, verdict = found_out(flipped(base, path, at, bit))
            assert session is not None, f"locked out by byte {at} of {path.name}"
            assert verdict is not None
            assert verdict.exit_code == 1
            assert session.read_only is not None
            assert session.read_only.startswith(("DAMAGED", "ROLLED BACK", "FORKED"))
            with pytest.raises(ReadOnlyVault):
                Notebook(session).add_note(b"x" * 16, note_of("no"))
            left = opened_texts(session)
            assert left == {FIRST, SECOND} or (wanted == "open" and not indexed and len(left) == 1)


@pytest.mark.parametrize("wanted", ["blob", "header"])
def test_an_altered_record_or_key_file_is_named_and_the_other_notes_can_be_read(wanted: str) -> None:
    house = remembered()
    for indexed in (True, False):
        base = house if indexed else without_index(house.copy())
        for path in files_of(base, wanted):
            size = len(base.files.raw(path))
            for at in (0, 5, 40, size // 2, size - 1):
                session, verdict = found_out(flipped(base, path, at))
                if wanted == "header":
                    assert session is None  # the only one: nothing but a backup helps
                    continue
                assert session is not None
                assert verdict is not None
                assert verdict.exit_code == 1
                assert session.read_only is None
                assert len(opened_texts(session)) >= 1


def test_a_record_put_back_opens_again_without_a_word_about_it() -> None:
    house = without_index(remembered())
    path = files_of(house, "blob")[0]
    good = house.files.raw(path)
    broken = flipped(house, path, 100)
    session = broken.unlock(None)
    assert session.findings
    session.close("exit")
    again = broken.unlock(None)  # from the index this time: still told
    assert again.findings
    again.close("exit")
    broken.files.put_raw(path, good)
    healed = broken.unlock(None)
    assert healed.findings == []
    assert texts(healed) == {FIRST, SECOND}
    assert verify(healed).exit_code == 0


def test_a_revision_that_does_not_open_keeps_its_number() -> None:
    house = remembered()
    session = house.unlock(None)
    book = Notebook(session)
    book.revise(house.ids["first"], note_of("revised"))
    (write,) = [each.write for each in book.history(house.ids["first"]) if each.version == 2]
    session.close("exit")
    path = house.paths.blob(write.digest)
    house.files.put_raw(path, bytes(len(house.files.raw(path))))
    without_index(house)
    later = Notebook(house.unlock(None))
    assert later.note(house.ids["first"]).version == 1
    assert later.revise(house.ids["first"], note_of("again")).version == 3


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 200])
@pytest.mark.parametrize("wanted", ["blob", "card", "checkpoint", "open", "header"])
def test_a_truncated_file_is_found(wanted: str, cut: int) -> None:
    house = without_index(remembered())
    path = files_of(house, wanted)[0]
    data = house.files.raw(path)
    house.files.put_raw(path, data[: len(data) - cut] if cut else b"")
    session, _ = found_out(house)
    assert (session is None) == (wanted == "header")


@pytest.mark.parametrize("wanted", ["blob", "card", "checkpoint", "open", "header"])
def test_a_deleted_or_renamed_file_is_found(wanted: str) -> None:
    for again, renamed in itertools.product((False, True), repeat=2):
        house = remembered() if again else without_index(remembered())
        for path in files_of(house, wanted):
            trial = house.copy()
            data = trial.files.raw(path)
            trial.files.drop_raw(path)
            if renamed:
                last = "0" if path.name[-1] != "0" else "1"
                trial.files.put_raw(path.with_name(path.name[:-1] + last), data)
            session, verdict = found_out(trial)
            assert (session is None) == (wanted == "header")
            if session is not None:
                assert verdict is not None
                assert verdict.exit_code == 1
                assert len(opened_texts(session)) >= (0 if wanted == "open" and not again else 1)


def test_a_vault_whose_key_files_are_gone_is_not_taken_for_an_empty_folder() -> None:
    house = remembered()
    for path in files_of(house, "header"):
        house.files.drop_raw(path)
    with pytest.raises(Damaged) as refused:
        house.unlock(None)
    assert "missing" in refused.value.sentence


def test_a_vault_whose_log_is_gone_is_not_taken_for_an_unfinished_set_up() -> None:
    house = remembered()
    for path in list(house.files.tree(house.paths.all_audit)):
        house.files.drop_raw(path)
    session = house.unlock(None)
    assert session.read_only is not None
    assert texts(session) == {FIRST, SECOND}  # from the index
    assert verify(session).exit_code == 1


def test_any_two_files_swapped_are_found() -> None:
    house = remembered()
    for one, other in itertools.combinations(house.vault_files(), 2):
        trial = house.copy()
        first, second = trial.files.raw(one), trial.files.raw(other)
        if first == second:  # the newest state and the seal of the epoch it closes
            assert "checkpoint" in {role(one), role(other)}
            continue
        trial.files.put_raw(one, second)
        trial.files.put_raw(other, first)
        session, _ = found_out(trial)
        assert (session is None) == ("header" in {role(one), role(other)})


def test_a_file_of_another_vault_is_found_in_every_place() -> None:
    house, stranger = remembered(), small("stranger")
    for path in house.vault_files():
        for theirs in files_of(stranger, role(path))[:1]:
            trial = house.copy()
            trial.files.put_raw(path, stranger.files.raw(theirs))
            found_out(trial)


def test_links_in_the_place_of_files_are_refused() -> None:
    house = remembered()
    for path in house.vault_files():
        trial = house.copy()
        trial.files.put_irregular(path)
        found_out(trial)
