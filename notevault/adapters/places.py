"""Where things lie when nobody says otherwise (platformdirs; HOME and the XDG variables are honoured).

The three are apart on purpose: the vault may be copied and backed up, the local folder belongs to this device, and
the fallback for its secrets must lie in neither.
"""

from __future__ import annotations

import errno
from pathlib import Path

import platformdirs

from notevault.errors import UsageFault

_NAME = "notevault"
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
"""What a system says of a name that no file can have; everything else is for whoever opens it to say."""


def user_path(text: str) -> Path:
    """An absolute path for what somebody typed, `~` taken for a home folder; nothing needs to be there.

    UsageFault for what cannot name a file: the `~` of somebody unknown, a name too long, a zero byte, links in a ring.
    """
    try:
        path = Path(text).expanduser().absolute()
        path.resolve()
        path.lstat()
    except OSError as fault:
        if fault.errno not in _NO_NAME:
            return path
    except (RuntimeError, ValueError):
        pass
    else:
        return path
    raise UsageFault("No file or folder can have that name.", "Type another name, or its whole path.")


def default_vault() -> Path:
    return platformdirs.user_data_path(_NAME, appauthor=False) / "vault"


def local_root() -> Path:
    """Of this device only: drafts, index, locks. One folder per vault id lies below."""
    root = platformdirs.user_state_path(_NAME, appauthor=False)
    # Where a system keeps state and data in one place (macOS, Windows), a folder beside the vault, never above it.
    return root / "local" if root == platformdirs.user_data_path(_NAME, appauthor=False) else root


def secrets_folder() -> Path:
    """The files that stand in for a keyring, one per vault and device."""
    return platformdirs.user_config_path(_NAME, appauthor=False) / "device"
