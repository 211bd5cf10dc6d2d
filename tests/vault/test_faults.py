"""A full or failing disk at every step: the right error, nothing acknowledged lost, and the session goes on."""

from __future__ import annotations

import errno

import pytest

from notevault.app.writing import Writing
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.errors import CannotWrite, DiskFull, NotevaultError, StorageFault
from notevault.vault import rekey
from notevault.vault.drafts import Drafts
from notevault.vault.headers import grow_pool
from notevault.vault.notebook import Notebook
from notevault.vault.verify import verify
from tests.fakes.simple import MORNING_MS
from tests.vault.build import (
    CHEAP,
    FIRST,
    OTHER_PASSPHRASE,
    PASSPHRASE,
    SECOND,
    House,
    drafts_of,
    remembered,
    small,
    texts,
)

NEW = "What she wrote when the disk was full."
CODES = {errno.ENOSPC: DiskFull, errno.EIO: StorageFault, errno.EACCES: CannotWrite}


def _open_and_save(house: House, step: int, code: int) -> tuple[bool, NotevaultError | None]:
    """Keep a draft, then fail at `step` of the save; whether that step was reached, and what was raised."""
    session = house.unlock(None)
    writing = Writing.new(Notebook(session), Drafts(session), house.ids["anna"])
    writing.keep(NEW, 0)
    before = len(house.files.trace)
    house.files.fail_at(step, code)
    fault: NotevaultError | None = None
    try:
        writing.save(NEW)
    except NotevaultError as raised:
        fault = raised
    reached = len(house.files.trace) - before >= step
    house.files.mend()
    if fault is not None:
        assert drafts_of(session) == {NEW} or NEW in texts(session)
        writing.save(NEW)  # the same session goes on
    assert NEW in texts(session)
    assert texts(session) == {FIRST, SECOND, NEW}
    assert verify(session).exit_code == 0
    assert session.close("exit") == []
    return reached, fault


@pytest.mark.parametrize("code", CODES)
def test_a_failed_save_keeps_the_draft_says_why_and_can_be_repeated(code: int) -> None:
    step, failed = 1, 0
    while True:
        house = remembered()
        reached, fault = _open_and_save(house, step, code)
        if fault is not None:
            assert isinstance(fault, CODES[code])
            assert fault.sentence
            failed += 1
        later = house.unlock(None)
        assert texts(later) == {FIRST, SECOND, NEW}
        if not reached:
            break
        step += 1
    assert failed >= 6


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("act", ["pool", "client", "sheet"])
def test_a_failed_change_leaves_the_vault_as_it_was_and_can_be_repeated(act: str, code: int) -> None:
    for step in range(1, 14, 2):
        house = remembered()
        session = house.unlock(None)

        def change(session=session) -> None:  # type: ignore[no-untyped-def]
            if act == "pool":
                grow_pool(session)
            elif act == "sheet":
                rekey.new_sheet(session)
            else:
                Notebook(session).add_client(Client("Bo Ek", "C-2", None, MORNING_MS))

        house.files.fail_at(step, code)
        try:
            change()
        except NotevaultError as fault:
            assert isinstance(fault, CODES[code])  # noqa: PT017
            house.files.mend()
            change()
        house.files.mend()
        assert texts(session) == {FIRST, SECOND}
        assert [(c, s) for c, s in verify(session).findings] == []
        session.close("exit")
        assert house.unlock(None).read_only is None


@pytest.mark.slow
def test_a_passphrase_change_that_fails_leaves_the_old_one() -> None:
    for step in (1, 4, 7):
        house = small()
        session = house.unlock()
        house.files.fail_at(step, errno.ENOSPC)
        with pytest.raises(DiskFull):
            rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
        house.files.mend()
        session.close("exit")
        assert texts(house.unlock(PASSPHRASE)) == {FIRST, SECOND}


def test_where_an_opening_cannot_be_logged_no_text_is_shown() -> None:
    house = remembered()
    session = house.unlock(None)
    house.files.fail_when("grow", errno.ENOSPC, lasting=True)
    with pytest.raises(DiskFull):
        Notebook(session).open_note(house.ids["first"])
    with pytest.raises(DiskFull):
        Notebook(session).find(["slept"])


def test_a_vault_on_a_full_disk_does_not_open_and_says_so() -> None:
    house = remembered()
    house.files.fail_when("grow", errno.ENOSPC, lasting=True)
    with pytest.raises(DiskFull):
        house.unlock(None)
    house.files.mend()
    assert texts(house.unlock(None)) == {FIRST, SECOND}


def test_closing_on_a_failing_disk_tells_and_loses_nothing() -> None:
    house = remembered()
    session = house.unlock(None)
    Notebook(session).add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    house.files.fail_when("temp", errno.EIO, lasting=True)
    assert [type(fault) for fault in session.close("exit")]
    house.files.mend()
    later = house.unlock(None)
    assert {view.code for view in Notebook(later).clients()} == {"C-1", "C-2"}
    assert later.read_only is None
