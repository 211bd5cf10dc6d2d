"""Epochs are closed while she writes, and she never notices: not even where the key store takes for ever."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from notevault.auditlog import check
from notevault.crypto import signing
from notevault.errors import KeyringSilent
from notevault.shell.desk import Desk
from notevault.shell.keeper import AGAIN_MS, EpochKeeper
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.verify import port_reader
from tests.vault.build import House, note_of, remembered

LONG_MS = 16 * 60_000
PATIENCE_S = 30.0  # a passing test never waits this long


class SlowStore:
    """The session's key store, which answers a write only when it is let."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.let = threading.Event()
        self.asked = threading.Event()
        self.silent = False

    def put(self, name: str, value: str) -> None:
        self.asked.set()
        assert self.let.wait(2 * PATIENCE_S)
        if self.silent:
            raise KeyringSilent("Your system's key store does not answer.")
        self._real.put(name, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _shell(house: House) -> tuple[Session, SlowStore, EpochKeeper, Any]:
    session = house.unlock(None)
    store = SlowStore(session.store)
    session.store = cast(Any, store)
    desk = SimpleNamespace(
        open=True, session=session, gate=threading.RLock(), env=session.env, ui=SimpleNamespace(leaving=None)
    )
    return session, store, EpochKeeper(cast(Desk, desk), lambda: session.store), desk


def _closes(house: House) -> int:
    return house.events().count("epoch.close")


def test_nothing_is_begun_before_it_is_due() -> None:
    house = remembered()
    _, store, keeper, _ = _shell(house)
    keeper.look()
    keeper.wait(1)
    assert not store.asked.is_set()


def test_a_note_is_saved_at_once_while_the_key_store_keeps_the_close_waiting() -> None:
    house = remembered()
    session, store, keeper, desk = _shell(house)
    before = _closes(house)
    house.clock.advance(LONG_MS)
    keeper.look()
    assert store.asked.wait(PATIENCE_S)
    began = time.monotonic()
    with desk.gate:
        Notebook(session).add_note(house.ids["anna"], note_of("while it waits"))
    assert time.monotonic() - began < PATIENCE_S  # the store would keep it for twice as long
    assert _closes(house) == before
    keeper.look()  # one at a time
    store.let.set()
    keeper.wait(PATIENCE_S)
    assert _closes(house) == before + 1
    with desk.gate:
        Notebook(session).add_note(house.ids["anna"], note_of("after it"))
    assert session.close("exit") == []
    (origin,) = house.origins()
    card = house.files.raw(house.paths.card(origin))
    reader = port_reader(house.files, house.paths.audit(origin))
    assert check.check_log(reader, origin, card, verify=signing.verify).exit_code == 0


def test_a_key_store_that_does_not_answer_is_asked_again_only_later() -> None:
    house = remembered()
    _, store, keeper, _ = _shell(house)
    store.silent = True
    store.let.set()
    house.clock.advance(LONG_MS)
    keeper.look()
    keeper.wait(PATIENCE_S)
    assert store.asked.is_set()
    store.asked.clear()
    keeper.look()
    keeper.wait(1)
    assert not store.asked.is_set()
    store.silent = False
    house.clock.advance(AGAIN_MS)
    before = _closes(house)
    keeper.look()
    keeper.wait(PATIENCE_S)
    assert _closes(house) == before + 1


@pytest.mark.parametrize("state", ["locked", "leaving", "in use"])
def test_it_keeps_out_of_the_way(state: str) -> None:
    house = remembered()
    _, store, keeper, desk = _shell(house)
    house.clock.advance(LONG_MS)
    desk.open = state != "locked"
    desk.ui.leaving = "key" if state == "leaving" else None
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with desk.gate:
            held.set()
            done.wait(PATIENCE_S)

    other = threading.Thread(target=hold)
    if state == "in use":
        other.start()
        assert held.wait(PATIENCE_S)
    keeper.look()
    keeper.wait(1)
    assert not store.asked.is_set()
    done.set()
    if state == "in use":
        other.join()
