"""`FileStore`: secrets in a file, for machines without a keyring. Said aloud once at set-up, and shown by `doctor`.

One file per vault and device, `<vault hex>-<device hex>.json`, 0600 in a 0700 folder outside vault and backup:
canonical JSON {"items": {name: value}, "v": 1} and a newline, at most 64 KiB, replaced as a whole. With it only vault
folder and backup are proof against guessing, not the whole disk (docs/FORMAT.md section 9).
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from notevault.adapters.secret_items import check_name, check_owner, check_prefix, check_value
from notevault.errors import KeyringLied, NotevaultError, NotFound, SecretsUnavailable
from notevault.ports import Files

_LIMIT = 65_536
_WAIT_S = 5.0


class _Now:
    """The answer is read when it is asked for: a file does not keep anybody waiting."""

    def __init__(self, store: FileStore, names: Sequence[str]) -> None:
        self._store = store
        self._names = names

    def result(self) -> list[str | None]:
        return self._store.get(self._names)

    def cancel(self) -> None:
        return None


class FileStore:
    """Implements `ports.SecretStore`. `prefix` is `<vault hex>/<device hex>`."""

    def __init__(self, folder: Path, prefix: str, files: Files) -> None:
        check_prefix(prefix)
        self._folder = folder
        self._prefix = prefix
        self._files = files
        self._path = folder / f"{prefix.replace('/', '-')}.json"
        self._lock = self._path.with_suffix(".lock")

    @property
    def kind(self) -> str:
        return "file"

    def describe(self) -> str:
        return f"a file that only you can read, in {self._folder}"

    def get(self, names: Sequence[str]) -> list[str | None]:
        for name in names:
            check_name(name)
        items = self._read()
        return [check_owner(self._prefix, items.get(name)) for name in names]

    def start_get(self, names: Sequence[str]) -> _Now:
        return _Now(self, list(names))

    def put(self, name: str, value: str) -> None:
        check_value(name, value)
        self._files.make_folder(self._folder)
        with self._files.lock(self._lock, wait_s=_WAIT_S):
            self._write({**self._read(), name: value})
            if self._read().get(name) != value:
                raise KeyringLied("The file of this laptop's key holds something else than was written.")

    def delete(self, name: str) -> None:
        check_name(name)
        if self._files.size(self._path) is None:
            return
        with self._files.lock(self._lock, wait_s=_WAIT_S):
            items = self._read()
            if items.pop(name, None) is None:
                return
            if items:
                self._write(items)
            else:
                self._files.remove(self._path)

    def _write(self, items: dict[str, str]) -> None:
        text = json.dumps({"items": items, "v": 1}, sort_keys=True, separators=(",", ":"))
        self._files.replace(self._path, text.encode("ascii") + b"\n")

    def _read(self) -> dict[str, str]:
        self._refuse_open_doors()
        try:
            data = self._files.read(self._path, limit=_LIMIT)
        except NotFound:
            return {}
        except NotevaultError as error:
            raise SecretsUnavailable(f"The file of this laptop's key cannot be read. {error.sentence}") from None
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or found.get("v") != 1 or not isinstance(found.get("items"), dict):
            raise SecretsUnavailable("The file of this laptop's key is damaged.")
        items: dict[str, str] = {}
        for name, value in found["items"].items():
            if not isinstance(value, str):
                raise SecretsUnavailable("The file of this laptop's key is damaged.")
            items[name] = value
        return items

    def _refuse_open_doors(self) -> None:
        """A file that others could read or that is not ours is not believed. (No such modes on Windows.)"""
        if sys.platform == "win32":
            return
        for path, mode, what in ((self._folder, 0o700, "folder"), (self._path, 0o600, "file")):
            try:
                seen = path.lstat()
            except OSError:
                continue  # absent: the reading says so
            if seen.st_uid != os.geteuid():
                raise SecretsUnavailable(
                    f"The {what} of this laptop's key belongs to another user of this machine.",
                    f"If you are sure that it is yours: chown {os.geteuid()} {path}",
                )
            if stat.S_IMODE(seen.st_mode) & ~mode:
                raise SecretsUnavailable(
                    f"Other users of this machine can get at the {what} of this laptop's key.",
                    f"Close it and try again: chmod {mode:o} {path}",
                )
