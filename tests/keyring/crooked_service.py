"""A Secret Service of the tests that misbehaves in one way: `python crooked_service.py MODE`, on the session bus.

Modes: `lies` (gives back something else than was stored), `forgets` (takes an item and has none), `unanswered` (locked;
its dialog is never answered), `answered` (locked; its dialog is answered after half a second, then honest).
Speaks just enough of the Secret Service interface for python-keyring; secrets are unencrypted on this private bus.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal  # type: ignore[import-untyped]
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

BASE = "/org/freedesktop/secrets"
PREFIX = "org.freedesktop.Secret."
ITEM = f"{BASE}/collection/c/1"
PROMPT = f"{BASE}/prompt/1"


class Crooked:
    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.locked = mode in ("unanswered", "answered")
        self.items: dict[frozenset[tuple[str, str]], bytes] = {}
        self.connection = open_dbus_connection(bus="SESSION")

    def run(self) -> None:
        from jeepney.io.blocking import Proxy

        Proxy(message_bus, self.connection).RequestName("org.freedesktop.secrets")
        print("ready", flush=True)
        while True:
            message = self.connection.receive()
            if message.header.message_type is MessageType.method_call:
                self.reply(message)

    def reply(self, message: Message) -> None:
        member = str(message.header.fields[HeaderFields.member])
        answer = getattr(self, f"on_{member}", None)
        if answer is None:
            self.connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        result = answer(*message.body)
        if result is None:
            self.connection.send(new_error(message, "org.freedesktop.DBus.Error.NotSupported"))
        else:
            self.connection.send(new_method_return(message, *result))
        if member == "Prompt" and self.mode == "answered":
            time.sleep(0.5)
            self.locked = False
            at = DBusAddress(PROMPT, interface=PREFIX + "Prompt")
            self.connection.send(new_signal(at, "Completed", "bv", (False, ("ao", [f"{BASE}/collection/c"]))))

    def on_Get(self, interface: str, name: str) -> tuple[str, Any]:
        value: dict[str, tuple[str, Any]] = {"Locked": ("b", self.locked), "Label": ("s", "crooked")}
        return "v", (value[name],)

    def on_ReadAlias(self, name: str) -> tuple[str, Any]:
        return "o", (f"{BASE}/collection/c",)

    def on_OpenSession(self, algorithm: str, value: Any) -> tuple[str, Any] | None:
        return ("vo", (("s", ""), f"{BASE}/session/1")) if algorithm == "plain" else None

    def on_Unlock(self, paths: list[str]) -> tuple[str, Any]:
        return "aoo", (([], PROMPT) if self.locked else (paths, "/"))

    def on_Prompt(self, window: str) -> tuple[str, Any]:
        return "", ()

    def on_SearchItems(self, attributes: dict[str, str]) -> tuple[str, Any]:
        found = [at for at in self.items if set(attributes.items()) <= at]
        self.chosen = found[0] if found else None
        return "ao", ([ITEM] if found else [],)

    def on_CreateItem(self, properties: dict[str, Any], secret: Any, replace: bool) -> tuple[str, Any]:
        if self.mode != "forgets":
            self.items[frozenset(properties[PREFIX + "Item.Attributes"][1].items())] = bytes(secret[2])
        return "oo", (ITEM, "/")

    def on_GetSecret(self, session: str) -> tuple[str, Any]:
        secret = self.items.get(self.chosen, b"") if self.chosen else b""
        if self.mode == "lies":
            secret = secret[::-1] + b"!"
        return "(oayays)", ((session, b"", secret, "text/plain"),)

    def on_Delete(self) -> tuple[str, Any]:
        self.items.pop(self.chosen or frozenset(), None)
        return "o", ("/",)


if __name__ == "__main__":
    Crooked(sys.argv[1]).run()
