"""Where things lie when nobody says otherwise (platformdirs; HOME and the XDG variables are honoured).

The three are apart on purpose: the vault may be copied and backed up, the local folder belongs to this device, and
the fallback for its secrets must lie in neither.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

_NAME = "notevault"


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
