"""What folders lie on: the Volumes port, and the choice of this system's."""

from __future__ import annotations

import sys

from notevault.ports import Volumes


def this_volumes() -> Volumes:
    if sys.platform == "win32":
        from notevault.adapters.volumes_windows import WindowsVolumes

        return WindowsVolumes()
    elif sys.platform == "darwin":  # noqa: RET505 - the type checker leaves out the other systems' only in this form
        from notevault.adapters.volumes_macos import MacVolumes

        return MacVolumes()
    else:
        from notevault.adapters.volumes_linux import LinuxVolumes

        return LinuxVolumes()
