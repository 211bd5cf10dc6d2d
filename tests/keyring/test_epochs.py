"""The log's keys in a real Secret Service: replaced at every lock, gone when they are, and never waited for long."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.domain.notes import Note
from notevault.vault import found, unlock
from notevault.vault.env import Env
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.wiring.locked import locked_side
from notevault.wiring.unlocked import hurry, make_env
from tests.keyring.conftest import LOGIN, Desktop

pytestmark = [pytest.mark.keyring, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")]

PASSPHRASE = kdf.normalise("seven quiet herons cross the frozen bay")


def _secrets() -> list[bytes]:
    """Every secret that the service holds."""
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        collection = secretstorage.get_default_collection(bus)
        return [item.get_secret() for item in collection.get_all_items()]


def _lock(env: Env, session: Session) -> tuple[float, list[str]]:
    """As the shell's child does: seconds, and what could not be done."""
    began = time.monotonic()
    hurry(env, session)
    faults = session.close("key")
    return time.monotonic() - began, [each.sentence for each in faults]


@pytest.fixture
def opened(desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Env, Path, Session]:
    desktop.start_bus()
    desktop.start_keyring(LOGIN)
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    side = locked_side(str(tmp_path / "vault"))
    env = make_env(side)
    session, _ = found.create(env, side.vault, PASSPHRASE, kdf.CHEAPEST)
    assert session.store.kind == "keyring"
    book = Notebook(session)
    anna = book.add_client(Client("Anna Berg", "C-1", None, 0))
    book.add_note(anna.id, Note("first", 0, 60, 0, 0))
    return env, side.vault, session


@pytest.mark.slow
def test_a_lock_replaces_the_log_s_key_in_the_service_and_the_old_one_is_gone(
    opened: tuple[Env, Path, Session],
) -> None:
    env, vault, session = opened
    assert session.log_item is not None
    old = session.log_item.encode().partition('"ek":"')[2].partition('"')[0].encode()
    assert any(old in value for value in _secrets())
    _, faults = _lock(env, session)
    assert faults == []
    assert not any(old in value for value in _secrets())
    again = unlock.unlock(env, vault, PASSPHRASE, shell=True)
    assert (again.read_only, again.findings, again.log_item is not None) == (None, [], True)
    assert again.log_item is not None
    assert again.log_item.epoch == 1
    _lock(env, again)


@pytest.mark.slow
def test_a_service_that_hangs_at_lock_is_given_two_seconds_and_the_next_day_goes_on(
    desktop: Desktop, opened: tuple[Env, Path, Session]
) -> None:
    env, vault, session = opened
    desktop.freeze_keyring()
    seconds, faults = _lock(env, session)
    desktop.thaw_keyring()
    assert len(faults) == 1
    assert "does not answer" in faults[0]
    assert seconds < 20  # its limit is 2, the rest is for a slow machine; unlimited it would be 25 or for ever
    again = unlock.unlock(env, vault, PASSPHRASE, shell=True)
    assert (again.read_only, again.findings) == (None, [])
    assert len(Notebook(again).notes()) == 1
    _, faults = _lock(env, again)
    assert faults == []
