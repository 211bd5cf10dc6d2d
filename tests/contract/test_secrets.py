"""What the SecretStore port promises, asked of the fake, of the file, and of the keyring behind its helper.

The keyring here is a made-up helper that speaks the real one's language; the real Secret Service is in tests/keyring.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.keyring_store import KeyringStore
from notevault.adapters.secret_file import FileStore
from notevault.errors import OwnFault, SecretForeign, SecretsUnavailable
from notevault.ports import SecretStore
from tests.fakes.files import MemoryFiles
from tests.fakes.secrets import FakeSecrets

VAULT, OTHER_VAULT, DEVICE = "aa" * 16, "bb" * 16, "cc" * 16
PREFIX, OTHER_PREFIX = f"{VAULT}/{DEVICE}", f"{OTHER_VAULT}/{DEVICE}"

HELPER = """
import json, pathlib, sys
kept = pathlib.Path(sys.argv[1])
items = json.loads(kept.read_text()) if kept.exists() else {}
r = json.loads(sys.stdin.readline())
at = lambda n: r["prefix"] + "/" + n
answer = {"backend": "keyring.backends.SecretService.Keyring"}
if r["op"] == "get":
    answer["values"] = [items.get(at(n)) for n in r["names"]]
elif r["op"] == "put":
    items[at(r["name"])] = answer["back"] = r["value"]
elif r["op"] == "delete":
    items.pop(at(r["name"]), None)
kept.write_text(json.dumps(items))
print(json.dumps(answer))
"""

Opener = Callable[[str], SecretStore]


@pytest.fixture(params=["fake", "file", "keyring"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens stores that all look at the same kept items."""
    if request.param == "fake":
        items: dict[str, str] = {}
        return lambda prefix: FakeSecrets(prefix, items=items)
    if request.param == "file":
        return lambda prefix: FileStore(tmp_path / "device", prefix, DiskFiles())
    argv = [sys.executable, "-c", HELPER, str(tmp_path / "items")]
    return lambda prefix: KeyringStore(prefix, argv=argv)


def test_a_stored_item_is_there_for_the_next_process(opened: Opener) -> None:
    opened(PREFIX).put("device", "one")
    opened(PREFIX).put("log", "two")
    opened(PREFIX).put("device", "three")
    assert opened(PREFIX).get(["log", "device", "session"]) == ["two", "three", None]
    assert opened(PREFIX).get([]) == []


def test_an_empty_store_answers_that_it_has_nothing(opened: Opener) -> None:
    assert opened(PREFIX).get(["device", "log"]) == [None, None]


def test_vaults_and_devices_do_not_see_each_other_s_items(opened: Opener) -> None:
    opened(PREFIX).put("device", "mine")
    assert opened(OTHER_PREFIX).get(["device"]) == [None]
    assert opened(f"{VAULT}/{'dd' * 16}").get(["device"]) == [None]


def test_an_item_is_deleted_once_and_its_absence_is_fine(opened: Opener) -> None:
    store = opened(PREFIX)
    store.delete("device")
    store.put("device", "one")
    store.put("log", "two")
    store.delete("device")
    store.delete("device")
    assert store.get(["device", "log"]) == [None, "two"]
    store.delete("log")
    assert store.get(["device", "log"]) == [None, None]


def test_an_answer_can_be_collected_later_or_not_at_all(opened: Opener) -> None:
    store = opened(PREFIX)
    store.put("device", "one")
    pending = store.start_get(["device", "log"])
    assert pending.result() == ["one", None]
    store.start_get(["device"]).cancel()


def test_an_item_that_names_another_vault_or_laptop_is_foreign(opened: Opener) -> None:
    store = opened(PREFIX)
    store.put("device", json.dumps({"vault": VAULT, "device": DEVICE, "ds": []}))
    assert store.get(["device"]) != [None]
    store.put("device", json.dumps({"vault": OTHER_VAULT, "device": DEVICE}))
    with pytest.raises(SecretForeign) as vault:
        store.get(["device"])
    store.put("device", json.dumps({"vault": VAULT, "device": "dd" * 16}))
    with pytest.raises(SecretForeign) as laptop:
        store.get(["device"])
    assert "another vault" in vault.value.sentence
    assert "another laptop" in laptop.value.sentence
    assert vault.value.next_step
    assert laptop.value.next_step


@pytest.mark.parametrize("value", ["", "x" * 401, "é", "two\nlines"], ids=["empty", "long", "not ascii", "lines"])
def test_an_item_of_the_wrong_shape_is_our_own_fault_and_not_stored(opened: Opener, value: str) -> None:
    with pytest.raises(OwnFault) as caught:
        opened(PREFIX).put("device", value)
    assert value == "" or value not in str(caught.value)
    assert opened(PREFIX).get(["device"]) == [None]


def test_four_hundred_characters_fit(opened: Opener) -> None:
    opened(PREFIX).put("device", "~" * 400)
    assert opened(PREFIX).get(["device"]) == ["~" * 400]


def test_a_store_says_what_it_is(opened: Opener) -> None:
    store = opened(PREFIX)
    assert store.kind in ("keyring", "file")
    assert store.describe()


# The file in particular


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config" / "device"


def test_the_file_is_closed_to_others_and_one_of_its_kind(folder: Path) -> None:
    old = os.umask(0)
    try:
        FileStore(folder, PREFIX, DiskFiles()).put("device", "one")
    finally:
        os.umask(old)
    path = folder / f"{VAULT}-{DEVICE}.json"
    assert path.read_bytes() == b'{"items":{"device":"one"},"v":1}\n'
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        path.name: 0o600,
        f"{VAULT}-{DEVICE}.lock": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes")
@pytest.mark.parametrize(("which", "mode"), [("file", 0o640), ("file", 0o604), ("folder", 0o750), ("folder", 0o777)])
def test_a_file_open_to_others_is_not_read_and_the_mending_is_told(folder: Path, which: str, mode: int) -> None:
    store = FileStore(folder, PREFIX, DiskFiles())
    store.put("device", "one")
    path = folder if which == "folder" else folder / f"{VAULT}-{DEVICE}.json"
    path.chmod(mode)
    with pytest.raises(SecretsUnavailable) as caught:
        store.get(["device"])
    step = caught.value.next_step
    assert "chmod" in step
    assert str(path) in step
    path.chmod(0o700 if which == "folder" else 0o600)
    assert store.get(["device"]) == ["one"]


@pytest.mark.root
@pytest.mark.skipif(sys.platform == "win32", reason="no such owners")
def test_a_file_of_another_user_is_not_read(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    store = FileStore(folder, PREFIX, DiskFiles())
    store.put("device", "one")
    os.chown(folder / f"{VAULT}-{DEVICE}.json", 65534, 65534)
    with pytest.raises(SecretsUnavailable) as caught:
        store.get(["device"])
    assert "chown 0 " in caught.value.next_step


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"items":{},"v":2}', b'{"items":[],"v":1}', b'{"items":{"device":1},"v":1}', b"[" * 60_000],
)
def test_a_damaged_file_is_told_and_not_overwritten(folder: Path, data: bytes) -> None:
    store = FileStore(folder, PREFIX, DiskFiles())
    store.put("device", "one")
    path = folder / f"{VAULT}-{DEVICE}.json"
    path.write_bytes(data)
    with pytest.raises(SecretsUnavailable):
        store.get(["device"])
    with pytest.raises(SecretsUnavailable):
        store.put("device", "two")
    assert path.read_bytes() == data


def test_a_power_cut_while_storing_leaves_the_old_secret_or_the_new() -> None:
    """Every step, several ways: never none, for without this laptop's key the vault does not open."""
    from tests.fakes.files import CrashNow

    step = 0
    while True:
        step += 1
        files = MemoryFiles()
        FileStore(Path("/config/device"), PREFIX, files).put("device", "old")
        files.crash_at(step)
        try:
            FileStore(Path("/config/device"), PREFIX, files).put("device", "new")
        except CrashNow:
            pass
        else:
            break
        for seed in range(8):
            after = FileStore(Path("/config/device"), PREFIX, files.after_power_cut(seed))
            assert after.get(["device"]) in (["old"], ["new"])
    assert step == 5


# The fake's bad days


def test_the_fake_has_every_bad_day_of_a_key_store() -> None:
    store = FakeSecrets(PREFIX)
    store.put("device", "one")
    for mood in ("absent", "locked", "silent", "refused"):
        store.mood = mood
        with pytest.raises(SecretsUnavailable):
            store.get(["device"])
    store.mood = "missing"
    assert store.get(["device"]) == [None]
    store.mood = "lying"
    assert store.get(["device"]) != ["one"]
    with pytest.raises(SecretsUnavailable):
        store.put("device", "two")
    store.mood = "foreign"
    with pytest.raises(SecretForeign):
        store.get(["device"])
