"""Starting a log: fresh signing keys, their card, and the first entry that names a header.

Used by set-up, by recovery, and when a laptop's log key was lost or an old copy was put back: the new log cites the
old one's last checkpoint, so an auditor can follow (docs/FORMAT.md sections 8 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass

from notevault.auditlog import card as cards
from notevault.auditlog.merkle import EMPTY_ROOT
from notevault.crypto import signing
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.storage.logbelieve import CardBelieves
from notevault.storage.logfile import LogFile
from notevault.vault.env import Env
from notevault.vault.items import Head, LogItem
from notevault.vault.recorder import LogSigner, Recorder


@dataclass(frozen=True)
class NewOrigin:
    item: LogItem
    card: bytes

    @property
    def origin(self) -> str:
        return self.item.origin


def draw_origin(env: Env, vault_id: bytes, device_id: bytes, vik_seed: bytes) -> NewOrigin:
    """Fresh log keys and the card that the vault's identity signs for them. Nothing is stored yet."""
    identity_seed, epoch_seed = env.entropy.draw(32), env.entropy.draw(32)
    identity = signing.public_bytes(signing.private_key(identity_seed))
    epoch = signing.public_bytes(signing.private_key(epoch_seed))
    vik = signing.private_key(vik_seed)
    card = cards.make(
        created=env.clock.wall_ms(),
        device=device_id.hex(),
        epoch0=epoch,
        identity=identity,
        vault=vault_id.hex(),
        vik=signing.public_bytes(vik),
        sign=vik.sign,
    )
    origin = cards.origin_of(identity, epoch)
    return NewOrigin(LogItem(origin, 0, identity_seed, epoch_seed, Head(origin, 0, EMPTY_ROOT, 0)), card)


def start_log(env: Env, paths: VaultPaths, local: LocalState, new: NewOrigin, user: bytes) -> Recorder:
    """Write the card and give a recorder on the empty log."""
    log = LogFile(env.files, paths, local, new.origin)
    parsed = cards.parse(new.card)
    assert isinstance(parsed, cards.Card), "a card of our own"
    tail = log.begin(CardBelieves(parsed, signing.verify), new.card)
    return Recorder(env, log, LogSigner(new.item), user, tail)
