"""The door of a vault: from alleged headers, a passphrase (or a remembered session) and this laptop's key to open keys.

Everything read here is alleged until the key table is open and its identity is the header's.
"""

from __future__ import annotations

from dataclasses import dataclass

from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import (
    Damaged,
    KeyringLied,
    LogDamaged,
    NotevaultError,
    NotFound,
    Refused,
    SecretForeign,
    SecretMissing,
    SecretsUnavailable,
    Tampered,
    WrongSecret,
)
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.keytable import KeyTable
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile
from notevault.vault import fails, remember
from notevault.vault.env import Env
from notevault.vault.follow import (
    heads_seen,
    rolled_back,
)
from notevault.vault.items import DEVICE, LOG, SESSION, DeviceItem, LogItem
from notevault.vault.recorder import LogSigner, Recorder
from notevault.vault.session import Keys
from notevault.vault.survey import TWO_LAPTOPS, Alleged, Survey, copy_of, open_log

Door = list[tuple[Alleged, PassphraseSlot]]
"""The alleged headers that have a slot for this laptop, the highest first."""


@dataclass(frozen=True)
class Secrets:
    device: DeviceItem
    log: LogItem | None  # absent: a new log is started
    session: remember.Remembered | None
    expired_ms: int | None  # when a session that is still about ran out


def door_of(env: Env, seen: Survey, device: DeviceFile) -> Door:
    """Raises SecretMissing when no header knows this laptop, Refused for costs outside what this machine may spend."""
    door: Door = []
    refused: Refused | None = None
    own = seen.local.identity()  # headers of others, put here to cost us an Argon2 each, are not even tried
    known = [each for each in seen.alleged if own is None or own in (each.header.vik, _former_vik(each.header))]
    for alleged in known or seen.alleged:
        for slot in alleged.header.slots:
            if not isinstance(slot, PassphraseSlot) or slot.device != device.device:
                continue
            try:
                kdf.check_params(_params(slot), env.machine.ram_total())
            except Refused as fault:
                refused = refused or fault
            else:
                door.append((alleged, slot))
    if door:
        return door
    if refused is None and seen.damaged:  # the one that knows this laptop may be the one that does not read
        raise _newest_damaged(seen)
    raise refused or SecretMissing(
        "This vault no longer accepts this laptop.", "Your recovery sheet opens it: `notevault recover`."
    )


def _former_vik(header: Header) -> bytes | None:
    """The identity that vouches for a renewed one."""
    return header.cross.vik if header.cross is not None and signing.verify_cross(header) else None


def _params(slot: PassphraseSlot) -> kdf.KdfParams:
    return kdf.KdfParams(slot.m, slot.t, slot.p)


class Stretcher:
    """Argon2 of the passphrase, once for each salt and cost. Several headers mostly share one slot."""

    def __init__(self, passphrase: bytes | None) -> None:
        self.passphrase = passphrase
        self._done: dict[tuple[bytes, kdf.KdfParams], bytes] = {}

    def stretch(self, slot: PassphraseSlot) -> bytes:
        if self.passphrase is None:
            return b""
        at = (slot.salt, _params(slot))
        if at not in self._done:
            self._done[at] = kdf.argon2id(self.passphrase, *at)
        return self._done[at]


def why_not(fault: NotevaultError) -> str:
    """The reason that the log tells of."""
    if isinstance(fault, SecretMissing):
        return "secret-missing"
    if isinstance(fault, SecretForeign):
        return "secret-foreign"
    return "keyring" if isinstance(fault, SecretsUnavailable) else "header"


def read_secrets(env: Env, store: SecretStore, device: DeviceFile) -> Secrets:
    device_text, log_text, session_text = store.get([DEVICE, LOG, SESSION])
    if device_text is None:
        raise SecretMissing("This laptop's key for this vault is not in its key store.")
    try:
        return Secrets(
            DeviceItem.decode(device_text, device.vault, device.device),
            None if log_text is None else LogItem.decode(log_text),
            remember.recall(env, device, session_text),
            remember.expired_ms(env, session_text),
        )
    except Damaged:
        raise KeyringLied("Your system's key store gave back something else than this laptop's key.") from None


def open_keys(
    env: Env,
    seen: Survey,
    door: Door,
    device: DeviceFile,
    secrets: Secrets,
    stretcher: Stretcher,
    keep_okm: bool,
    *,
    held: bool = False,
) -> tuple[Keys, Alleged]:
    """The first alleged header that this device's slot opens and whose identity is the vault's own. `held`: nothing is
    entered in the log that is there, since a new one is about to follow it: a failed try waits for that one.
    """
    wrong: WrongSecret | None = None
    fault: NotevaultError | None = None
    for alleged, slot in door:
        header = alleged.header
        try:
            okm = _slot_key(slot, device, secrets, stretcher)
            vk, generation = slots.open_with_okm(slot, okm)
            table = table_seal.open_table(header.table, vk, header)
            _check_identity(header, table, generation)
        except WrongSecret as refused:
            wrong = wrong or refused
        except (Damaged, Tampered, Refused, SecretMissing) as other:
            fault = fault or other  # somebody else's header around our own slot, or an older slot: try the next
        else:
            return Keys(vk, generation, table, okm if keep_okm else None), alleged
    if wrong is not None and not isinstance(fault, Damaged):  # damage shows only after the passphrase was right
        if held:
            fails.keep(env, seen.local, "passphrase")
        else:
            _log_failure(env, seen, device, secrets)
        raise wrong
    if stretcher.passphrase is not None:
        fails.keep(env, seen.local, "header" if fault is None else why_not(fault))
    if seen.damaged and isinstance(fault, SecretMissing):  # the newest key file may be the one that does not read
        raise _newest_damaged(seen)
    raise fault or Tampered("No key file of this vault is signed by the vault itself.")


def _newest_damaged(seen: Survey) -> Damaged:
    return Damaged(
        f"The vault's newest key file cannot be used. {seen.damaged[0]}",
        "`notevault backup heal` puts that file back, if a backup has it; else your recovery sheet may open an older"
        " state.",
    )


def _check_identity(header: Header, table: KeyTable, generation: int) -> None:
    if signing.public_key(table.vik_seed) != header.vik or generation != header.generation:
        raise Tampered("No key file of this vault is signed by the vault itself.")


def _slot_key(slot: PassphraseSlot, device: DeviceFile, secrets: Secrets, stretcher: Stretcher) -> bytes:
    if stretcher.passphrase is None:
        if secrets.session is None or secrets.session.slot_id != slot.id:
            raise Refused("No remembered session: the passphrase is needed.", "Type it, or run `notevault remember`.")
        return secrets.session.okm
    secret = secrets.device.numbered(slot.ds)
    if secret is None:
        raise SecretMissing("This laptop's key for this vault is an older one than the vault expects.")
    return slots.slot_okm(slot, device.vault, stretcher.stretch(slot), secret)


def _log_failure(env: Env, seen: Survey, device: DeviceFile, secrets: Secrets) -> None:
    if secrets.log is None or copy_of(env, seen) is not None:
        fails.keep(env, seen.local, "passphrase")
        return
    try:
        recorder = own_recorder(env, seen, secrets.log, device.user)
        heads, _ = heads_seen(seen.local, device.vault, secrets.log)
        if rolled_back(
            heads, seen.header, recorder, lambda origin: open_log(env, seen.paths, seen.local, seen.header, origin)
        ):
            fails.keep(env, seen.local, "passphrase")  # an old copy put back: nothing is written onto it
        else:
            fails.record(env, seen.local, recorder, "passphrase")
    except NotevaultError:
        fails.keep(env, seen.local, "passphrase")


def own_recorder(env: Env, seen: Survey, item: LogItem, user: bytes) -> Recorder:
    """The recorder of this device's own log; it only reads where `item` has not the key of the log's present epoch.

    NotFound where the vault has no such log, LogDamaged for a bad one.
    """
    for alleged in seen.alleged:
        if alleged.header.origin == item.origin:
            if alleged.fault not in (None, TWO_LAPTOPS):
                raise LogDamaged(alleged.fault or "")
            signer = LogSigner.for_log(item, alleged.log, alleged.tail)
            return Recorder(env, alleged.log, signer, user, alleged.tail)
    for alleged in seen.alleged:
        if item.origin in alleged.header.origins:
            log, tail = open_log(env, seen.paths, seen.local, alleged.header, item.origin)
            return Recorder(env, log, LogSigner.for_log(item, log, tail), user, tail)
    raise NotFound("The log that this laptop writes is not in the vault.", "")
