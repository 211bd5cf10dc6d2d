"""The line between the shell's parent and its child: a socket pair, one UTF-8 line a message.

    child -> parent   hold <32 hex | setup>   keep the lock of this vault (or of a set-up) as long as the shell runs
                      pass                    the throw-away passphrase of a demo
                      after <word>            why the next child will ask: key, idle, suspend, set-up
                      say <sentence>          for the user: said by the next child, or at the end; never a name
                      until <ms>              when the vault is locked at the latest (CLOCK_BOOTTIME), see `overdue`
                      words                   what the child before had to say
                      backup waits | safe     whether something is not in a backup yet
                      backup now              a place was added, or a backup is wanted at once
    parent -> child   held | busy | pass <hex> | words <sentences>   the answers
                      lock | quit <why>          what to do now
                      worker dead | runs         whether backups are made by themselves
The end of the pipe tells either side that the other is gone. No key and no text ever goes over it, but for the
passphrase of a demo, which opens nothing that outlives the shell.
"""

from __future__ import annotations

import contextlib
import socket

LOCKED = 10
"""The child's exit status when it has locked and another one shall ask to unlock."""
LINE_LIMIT = 4096
ANSWERS = ("held", "busy", "pass", "words")


class Lines:
    """Bytes into lines; a line that grows beyond any of ours is dropped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_LIMIT:
            self._rest = b""
        return [line.decode("utf-8", "replace") for line in whole if len(line) <= LINE_LIMIT]


class Channel:
    """One end of the pair. `gone` once the other side has ended."""

    def __init__(self, end: socket.socket | None) -> None:
        self._end = end
        self._lines = Lines()
        self._waiting: list[str] = []
        self.gone = False

    @classmethod
    def of_fd(cls, fd: int) -> Channel:
        """The child's end; a number below 0 where the platform hands none over."""
        return cls(socket.socket(fileno=fd) if fd >= 0 else None)

    def fileno(self) -> int:
        return -1 if self._end is None else self._end.fileno()

    @property
    def there(self) -> bool:
        return self._end is not None

    def send(self, line: str) -> None:
        """Best effort: nothing depends on the other side still being there."""
        if self._end is None:
            return
        data = " ".join(line.split("\n")).encode()[: LINE_LIMIT - 1] + b"\n"
        with contextlib.suppress(OSError):
            self._end.sendall(data)

    def receive(self) -> list[str]:
        """What has come; waits for something. [] with `gone` set at the end of the pipe."""
        waiting, self._waiting = self._waiting, []
        if waiting or self._end is None:
            return waiting
        try:
            data = self._end.recv(LINE_LIMIT)
        except InterruptedError:
            return []
        except OSError:
            data = b""
        if not data:
            self.gone = True
        return self._lines.feed(data)

    def ask(self, line: str) -> str:
        """Send, and wait for the answer; "" when there is nobody. Other lines that come meanwhile are kept."""
        self.send(line)
        kept: list[str] = []
        while self._end is not None and not self.gone:
            for each in self.receive():
                if each.split(" ", 1)[0] in ANSWERS:
                    answer = each
                    break
                kept.append(each)
            else:
                continue
            self._waiting += kept
            return answer
        self._waiting += kept
        return ""

    def close(self) -> None:
        if self._end is not None:
            self._end.close()
