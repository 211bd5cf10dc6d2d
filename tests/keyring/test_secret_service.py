"""A real Secret Service on its good and bad days. Each bad day has its own error, its own sentence, its own way on."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from notevault.adapters.choose_store import SystemSecretStores
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.keyring_store import UNSEEN, KeyringStore, Limits
from notevault.errors import (
    KeyringAbsent,
    KeyringLied,
    KeyringLocked,
    KeyringRefused,
    KeyringSilent,
    SecretForeign,
    SecretsUnavailable,
)
from tests.keyring.conftest import LOGIN, Desktop

pytestmark = [pytest.mark.keyring, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")]

VAULT, OTHER, DEVICE = "aa" * 16, "bb" * 16, "cc" * 16
HELPER = [sys.executable, "-P", "-m", "notevault.adapters.keyring_worker"]
QUICK = Limits(silence_s=30, write_s=30, dialog_s=1.5)


def keyring(vault: str = VAULT, limits: Limits = QUICK, on_wait: list[str] | None = None) -> KeyringStore:
    said = [] if on_wait is None else on_wait
    return KeyringStore(f"{vault}/{DEVICE}", limits=limits, argv=HELPER, on_wait=said.append)


def choose(folder: Path, *, key_in_file: bool = False) -> tuple[str, str]:
    stores = SystemSecretStores(
        DiskFiles(), SystemEntropy(), folder=folder, limits=QUICK, argv=HELPER, key_in_file=key_in_file
    )
    return stores.choose()


@pytest.fixture
def unlocked(desktop: Desktop) -> Desktop:
    desktop.start_bus()
    desktop.start_keyring(LOGIN)
    return desktop


def test_present_items_are_stored_found_and_deleted(unlocked: Desktop) -> None:
    store = keyring()
    store.put("device", "one")
    store.put("log", "~" * 400)
    store.put("device", "two")
    assert keyring().get(["device", "log", "session"]) == ["two", "~" * 400, None]
    assert store.describe().startswith("Secret Service")
    store.delete("device")
    store.delete("device")
    assert keyring().get(["device", "log"]) == [None, "~" * 400]


def test_the_program_s_own_hidden_word_reaches_the_keyring(unlocked: Desktop) -> None:
    store = KeyringStore(f"{VAULT}/{DEVICE}")
    store.put("device", "one")
    assert store.get(["device"]) == ["one"]


def test_items_outlive_the_login_session(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    unlocked.stop_keyring()
    unlocked.start_keyring(LOGIN)
    assert keyring().get(["device"]) == ["one"]


def test_both_items_come_in_one_call_beside_other_work(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    pending = keyring().start_get(["device", "log"])
    time.sleep(0.3)  # the key derivation goes here
    assert pending.result() == ["one", None]


def test_absent_without_a_bus(desktop: Desktop) -> None:
    with pytest.raises(KeyringAbsent) as caught:
        keyring().get(["device"])
    assert "recover" in caught.value.next_step


def test_absent_with_a_bus_that_is_gone(unlocked: Desktop) -> None:
    unlocked.end()
    with pytest.raises(KeyringAbsent):
        keyring().get(["device"])


def test_absent_with_a_bus_and_no_service(desktop: Desktop) -> None:
    desktop.start_bus()
    with pytest.raises(KeyringAbsent):
        keyring().put("device", "one")


def test_locked_after_a_login_that_did_not_unlock_it(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    unlocked.stop_keyring()
    unlocked.start_keyring(None)
    said: list[str] = []
    with pytest.raises(KeyringLocked) as caught:
        keyring(on_wait=said).get(["device"])
    assert "locked" in caught.value.sentence
    assert said == ["Please answer your system's dialog: it asks to unlock its key store."]
    with pytest.raises(KeyringLocked):
        keyring().put("device", "two")


def test_locked_while_in_use(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    unlocked.lock_collection()
    with pytest.raises(KeyringLocked):
        keyring().get(["device"])


def test_a_wrong_login_password_leaves_it_locked_and_the_old_one_opens_it_again(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    unlocked.stop_keyring()
    unlocked.start_keyring("a changed login password")
    with pytest.raises(KeyringLocked) as caught:
        keyring().get(["device"])
    assert "login password was changed" in caught.value.next_step
    unlocked.stop_keyring()
    unlocked.start_keyring(LOGIN)
    assert keyring().get(["device"]) == ["one"]


def test_a_dialog_that_is_answered_opens_it(desktop: Desktop) -> None:
    desktop.start_bus()
    desktop.start_crooked("answered")
    said: list[str] = []
    store = keyring(limits=Limits(silence_s=30, write_s=30, dialog_s=30), on_wait=said)
    store.put("device", "one")
    assert len(said) == 1
    assert store.get(["device"]) == ["one"]


@pytest.mark.slow
def test_a_process_that_nobody_sees_opens_no_dialog(desktop: Desktop) -> None:
    desktop.start_bus()
    desktop.start_crooked("answered")
    said: list[str] = []
    with pytest.raises(KeyringLocked):
        keyring(limits=UNSEEN, on_wait=said).get(["device"])
    time.sleep(1)  # a dialog would have been answered by now
    with pytest.raises(KeyringLocked):
        keyring(limits=UNSEEN, on_wait=said).get(["device"])
    assert said == []


@pytest.mark.slow
def test_a_dialog_that_nobody_answers_ends_in_its_time(desktop: Desktop) -> None:
    desktop.start_bus()
    desktop.start_crooked("unanswered")
    started = time.monotonic()
    with pytest.raises(KeyringLocked) as caught:
        keyring().get(["device"])
    assert 1.4 < time.monotonic() - started < 30
    assert "nobody unlocked it" in caught.value.sentence


@pytest.mark.slow
def test_a_service_that_hangs_is_given_up(unlocked: Desktop) -> None:
    keyring().put("device", "one")
    unlocked.freeze_keyring()
    started = time.monotonic()
    limits = Limits(silence_s=1.5, write_s=1, dialog_s=60)
    with pytest.raises(KeyringSilent):
        keyring(limits=limits).get(["device"])
    with pytest.raises(KeyringSilent):
        keyring(limits=limits).put("device", "two")
    assert time.monotonic() - started < 40


@pytest.mark.parametrize("mode", ["lies", "forgets"])
def test_a_service_that_lies_is_found_out_when_storing(desktop: Desktop, mode: str) -> None:
    desktop.start_bus()
    desktop.start_crooked(mode)
    with pytest.raises(KeyringLied) as caught:
        keyring().put("device", "the secret itself")
    assert "the secret itself" not in caught.value.sentence


def test_a_missing_item_is_told_as_none(unlocked: Desktop) -> None:
    assert keyring().get(["device", "log"]) == [None, None]
    keyring(OTHER).put("device", "of another vault")
    assert keyring().get(["device"]) == [None]


def test_without_any_collection_an_item_is_missing_and_no_dialog_comes(desktop: Desktop) -> None:
    desktop.start_bus()
    desktop.start_keyring(None)
    said: list[str] = []
    assert keyring(on_wait=said).get(["device"]) == [None]
    assert said == []


def test_an_item_of_another_vault_is_foreign(unlocked: Desktop) -> None:
    keyring().put("device", json.dumps({"device": DEVICE, "ds": [], "v": 1, "vault": OTHER}))
    with pytest.raises(SecretForeign) as caught:
        keyring().get(["device"])
    assert "another vault" in caught.value.sentence


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "keyring.backends.libsecret.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "keyrings.alt.file.EncryptedKeyring",
        "somewhere.Else",
    ],
)
def test_other_backends_are_refused_by_name_and_never_loaded(
    unlocked: Desktop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    with pytest.raises(KeyringRefused) as caught:
        keyring().put("device", "one")
    assert name in caught.value.sentence
    assert "PYTHON_KEYRING_BACKEND" in caught.value.next_step


def test_the_settings_file_of_python_keyring_cannot_choose_a_refused_backend(unlocked: Desktop) -> None:
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "python_keyring" / "keyringrc.cfg"
    settings.parent.mkdir()
    settings.write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\nkeyring-path=/nowhere\n")
    with pytest.raises(KeyringRefused):
        keyring().get(["device"])
    settings.write_text("[backend]\ndefault-keyring=keyring.backends.SecretService.Keyring\n")
    assert keyring().get(["device"]) == [None]
    settings.write_text("no such syntax")
    assert keyring().get(["device"]) == [None]


def test_an_accepted_backend_that_is_named_but_absent_is_not_replaced_by_another(
    unlocked: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.macOS.Keyring")
    with pytest.raises(KeyringAbsent):
        keyring().get(["device"])


def test_properties_of_the_environment_do_not_steer_the_store(
    unlocked: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring().put("device", "one")
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/session")
    monkeypatch.setenv("KEYRING_PROPERTY_SCHEME", "KeePassXC")
    assert keyring().get(["device"]) == ["one"]


WATCHED = """
import pathlib, sys
seen = [pathlib.Path("/proc/self", name).read_bytes() for name in ("cmdline", "environ")]
pathlib.Path(sys.argv[1]).write_bytes(b"".join(seen))
from notevault.adapters.keyring_worker import main
sys.exit(main())
"""


def test_a_secret_reaches_neither_arguments_nor_environment_of_the_helper(unlocked: Desktop, tmp_path: Path) -> None:
    mark = tmp_path / "seen"
    store = KeyringStore(f"{VAULT}/{DEVICE}", argv=[sys.executable, "-P", "-c", WATCHED, str(mark)])
    store.put("device", "canary-of-a-secret")
    assert store.get(["device"]) == ["canary-of-a-secret"]
    assert b"DBUS_SESSION_BUS_ADDRESS" in mark.read_bytes()  # it was really looked at
    assert b"canary" not in mark.read_bytes()


def test_set_up_takes_the_keyring_when_it_really_works(unlocked: Desktop, tmp_path: Path) -> None:
    kind, why = choose(tmp_path / "device")
    assert kind == "keyring"
    assert "Secret Service" in why
    import secretstorage

    with secretstorage.dbus_init() as bus:  # the trial leaves nothing behind
        assert list(secretstorage.get_default_collection(bus).search_items({"service": "notevault"})) == []


@pytest.mark.parametrize("day", ["absent", "refused"])
def test_set_up_without_a_usable_keyring_falls_to_a_file_aloud(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str
) -> None:
    if day == "refused":
        desktop.start_bus()
        desktop.start_keyring(LOGIN)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    kind, why = choose(tmp_path / "device")
    assert kind == "file"
    assert str(tmp_path / "device") in why
    assert {"absent": "No key store", "refused": "null.Keyring"}[day] in why


@pytest.mark.parametrize("day", ["locked", "lies"])
def test_a_keyring_that_is_there_but_fails_is_not_passed_over_unasked(
    desktop: Desktop, tmp_path: Path, day: str
) -> None:
    desktop.start_bus()
    desktop.start_crooked("lies") if day == "lies" else desktop.start_keyring(None)
    with pytest.raises(KeyringLied if day == "lies" else KeyringLocked) as raised:
        choose(tmp_path / "device")
    assert "--key-in-file" in raised.value.next_step
    kind, why = choose(tmp_path / "device", key_in_file=True)
    assert kind == "file"
    assert "As you asked" in why


def test_the_recorded_choice_is_what_opens(unlocked: Desktop, tmp_path: Path) -> None:
    stores = SystemSecretStores(DiskFiles(), SystemEntropy(), folder=tmp_path / "device", argv=HELPER)
    vault, device = bytes.fromhex(VAULT), bytes.fromhex(DEVICE)
    stores.open("keyring", vault, device).put("device", "in the keyring")
    stores.open("file", vault, device).put("device", "in the file")
    assert stores.open("keyring", vault, device).get(["device"]) == ["in the keyring"]
    assert stores.open("file", vault, device).get(["device"]) == ["in the file"]


def test_every_bad_day_has_its_own_class_and_its_own_sentence() -> None:
    kinds = [KeyringAbsent, KeyringLocked, KeyringSilent, KeyringRefused, KeyringLied, SecretForeign]
    assert all(issubclass(kind, SecretsUnavailable) and kind.exit_code == 69 for kind in kinds)
