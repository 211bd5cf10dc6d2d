"""Which folders a cloud client keeps in step with its service, as far as names and the clients' own marks tell.

A client that is not known here is not seen; nothing but words and a reading back depends on it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePath

# Folder names as the clients make them, lower case; a name that begins so counts too ("OneDrive - Practice").
SYNCED = {
    "dropbox": "Dropbox",
    "onedrive": "OneDrive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "icloud": "iCloud",
    "icloud drive": "iCloud",
    "mobile documents": "iCloud",
    "com~apple~clouddocs": "iCloud",
    "cloudstorage": "a cloud service",
    "syncthing": "Syncthing",
    "pcloud": "pCloud",
    "pcloud drive": "pCloud",
    "pclouddrive": "pCloud",
    "mega": "MEGA",
    "box": "Box",
    "box sync": "Box",
    "seafile": "Seafile",
}
_LONG = tuple(name for name in SYNCED if len(name) > 5)  # "box" and "mega" begin too many other words
# What the clients lay into the folder that they keep in step; a name that ends with `*` is a beginning.
MARKS = {
    ".dropbox": "Dropbox",
    ".dropbox.cache": "Dropbox",
    ".nextcloudsync.log": "Nextcloud",
    ".owncloudsync.log": "ownCloud",
    ".sync_*": "Nextcloud",
    "._sync_*": "Nextcloud",
    ".tmp.drivedownload": "Google Drive",
    ".tmp.driveupload": "Google Drive",
    ".stfolder": "Syncthing",
    ".megaignore": "MEGA",
    ".debris": "MEGA",
    ".849c9593-d756-4e56-8d6e-42412f2a707b": "OneDrive",
}
_BEGINNINGS = {mark[:-1]: service for mark, service in MARKS.items() if mark.endswith("*")}
_WHOLE = {mark: service for mark, service in MARKS.items() if not mark.endswith("*")}
_ENVIRONMENT = ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")
_INFO_LIMIT = 1 << 16


def synced_by(path: PurePath) -> str | None:
    """Which service keeps this folder in step, as far as its path tells."""
    for part in path.parts:
        low = part.lower()
        if low in SYNCED:
            return SYNCED[low]
        for name in _LONG:
            if low.startswith((f"{name} ", f"{name}-", f"{name}_")):
                return SYNCED[name]
    return None


def marked_by(folder: Path) -> str | None:
    """Which service left its mark in the folder or in one around it. The home folder and those above it have none:
    clients keep their settings there, under the same names.
    """
    home = _home()
    for each in (folder, *folder.parents):
        if home is not None and (each == home or each in home.parents):
            return None
        try:
            names = os.listdir(each)  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name in _WHOLE:
                return _WHOLE[name]
            for beginning, service in _BEGINNINGS.items():
                if name.startswith(beginning) and name.endswith((".db", ".log")):
                    return service
    return None


def told_by(folder: Path) -> str | None:
    """Which client says of itself, in its own settings, that this is its folder."""
    for variable in _ENVIRONMENT:
        if _inside(folder, os.environ.get(variable, "")):
            return "OneDrive"
    home = _home()
    for info in () if home is None else (home / ".dropbox" / "info.json", home / "AppData/Local/Dropbox/info.json"):
        try:
            if info.stat().st_size > _INFO_LIMIT:
                continue
            accounts = json.loads(info.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if not isinstance(accounts, dict):
            continue
        for account in accounts.values():
            if isinstance(account, dict) and _inside(folder, account.get("path")):
                return "Dropbox"
    return None


def cloud_of(folder: Path) -> str | None:
    """The service's name for an existing folder, or None."""
    return told_by(folder) or synced_by(folder) or marked_by(folder)


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (OSError, RuntimeError):
        return None


def _inside(folder: Path, top: object) -> bool:
    if type(top) is not str or not top or "\0" in top:
        return False
    try:
        return folder.is_relative_to(Path(top).resolve())
    except (OSError, RuntimeError):
        return False
