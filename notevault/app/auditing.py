"""The own vault checked as an outsider checks it: with public keys alone, by the program that auditors carry.

What pins it here is the identity that this laptop kept when it last opened the vault; what was seen of the log outside
the vault folder (this laptop's memory and key store, backup places, older copies) must still be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notevault.app.auditstates import as_own, cards_in, memory_states, place_of_key, place_states, states_in
from notevault.auditlog import card as cards
from notevault.auditlog.card import Card
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import Seen, VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, ReadOnlyVault
from notevault.formats.ids import is_origin
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, LocalState
from notevault.vault import door
from notevault.vault.env import Env
from notevault.vault.items import LOG, LogItem
from notevault.vault.recorder import Act
from notevault.vault.survey import CARD_LIMIT, Survey, survey

Progress = Callable[[str, int, int], None]  # what is looked at; how much of it is done, how much there is


@dataclass
class Checked:
    """`verdict`: as an auditor's. `entered`: whether the result stands in the log. `remarks`: sentences about what
    could not be used or done.
    """

    verdict: VaultVerdict
    entered: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """What this laptop keeps of the vault in a folder. `seen` is None where no key file of it can be believed."""

    paths: VaultPaths
    vault_id: bytes
    local: LocalState
    device: DeviceFile | None
    identity: bytes | None  # the vault's, as this laptop kept it; None where it never opened the vault
    seen: Survey | None


def check_own(
    env: Env, vault: Path, places: Sequence[Path] = (), *, log_only: bool = False, progress: Progress | None = None
) -> Checked:
    """Check the vault's logs, key files and notes' files, and enter the result where this laptop's log key is at hand.

    `places`: further folders that have seen the log, beside the backup places. Never raises for what it finds in the
    vault; NoVault where there is none, NotFound for a place that holds nothing of it.
    """
    known = known_of(env, vault)
    item, remarks = _log_key(env, known)
    states, more = memory_states(known.local, known.vault_id, item, place_of_key(known.device))
    logs = [] if known.identity is None else cards_in(env, known.paths, known.identity)
    for place in places:
        states += states_in(env, place, logs, vault)
    states += place_states(env, known.local, logs, None if known.seen is None else known.seen.header.origin, vault)
    verdict = check_vault(
        vault,
        card=_card(env, known, logs),
        vik=known.identity,
        seen=states,
        log_only=log_only,
        verify=signing.verify,
        progress=progress,
        now_ms=env.clock.wall_ms(),
    )
    as_own(verdict)
    checked = Checked(verdict, remarks=[*remarks, *more])
    if item is not None:
        _enter(env, known, item, states, checked)
    return checked


def known_of(env: Env, vault: Path) -> Known:
    """Raises NoVault, and Damaged where the folder does not even say which vault it is."""
    paths = VaultPaths(vault)
    try:
        seen = survey(env, vault)
    except Damaged as fault:
        return _by_cards(env, paths, fault)
    identity = seen.local.identity()
    return Known(paths, seen.vault_id, seen.local, seen.device, identity, seen)


def _by_cards(env: Env, paths: VaultPaths, otherwise: Damaged) -> Known:
    """No key file can be believed; the logs' cards still say which vault it is, and this laptop whether that is so."""
    for origin in filter(is_origin, env.files.names(paths.all_audit)):
        try:
            card = cards.parse(env.files.read(paths.card(origin), limit=CARD_LIMIT))
        except NotevaultError:
            continue
        if isinstance(card, Fault):
            continue
        local = LocalState(env.files, env.local_root / card.vault)
        identity = local.identity()
        if identity is not None:
            return Known(paths, bytes.fromhex(card.vault), local, _device(local), identity, None)
    raise otherwise


def _card(env: Env, known: Known, logs: Sequence[Card]) -> bytes | None:
    """The present log's card as it lies in the vault, where the kept identity has signed it: the report names it."""
    if known.seen is None or known.seen.header.origin not in [each.origin for each in logs]:
        return None
    try:
        return env.files.read(known.paths.card(known.seen.header.origin), limit=CARD_LIMIT)
    except NotevaultError:
        return None


def _device(local: LocalState) -> DeviceFile | None:
    try:
        return local.read_device()
    except Damaged:
        return None


def _log_key(env: Env, known: Known) -> tuple[LogItem | None, list[str]]:
    """The log key of this laptop, and what keeps it from being used. Asking may take seconds, but not for ever."""
    device = known.device
    if device is None or device.vault != known.vault_id:
        return None, ["This laptop keeps no key of this vault's log: only what lies beside the vault was compared."]
    place = place_of_key(device)
    place = place[:1].upper() + place[1:]
    try:
        value = env.stores.open(device.store, device.vault, device.device).get([LOG])[0]
        item = None if value is None else LogItem.decode(value)
    except NotevaultError as fault:
        return None, [f"{place} was not compared. {fault.sentence}"]
    if item is None:
        return None, [f"{place} remembers nothing of this log."]
    return item, []


def _enter(env: Env, known: Known, item: LogItem, states: Sequence[Seen], checked: Checked) -> None:
    """The result as an entry, durable; not into a log that does not hold, nor onto an older copy."""
    verdict = checked.verdict
    own = [log for log in verdict.logs if log.verdict.origin == item.origin]
    whole = len(own) == 1 and own[0].verdict.proven and own[0].verdict.exit_code != 1
    remembered = [seen for seen in states if seen.origin == item.origin]
    whole = whole and all(each.state not in ("contradicts", "beyond") for log in own for each in log.anchors)
    if not whole or known.seen is None or known.device is None:
        checked.remarks.append(
            "The result was not entered in the log: the log itself does not hold, or is an older copy."
        )
        return
    bad, open_ = len(verdict.of(Weight.TAMPERED)), len(verdict.of(Weight.UNDECIDED))
    outcome = "fail" if bad else "part" if open_ else "ok"
    act = Act("verify.run", "E", "review", outcome, k={"bad": bad, "n": verdict.blobs.live})
    try:
        recorder = door.own_recorder(env, known.seen, item, known.device.user)
        if any(seen.size > recorder.tail.size for seen in remembered):
            raise ReadOnlyVault("The log is shorter than it was.")
        recorder.record(act)
    except NotevaultError as fault:
        checked.remarks.append(f"The result was not entered in the log. {fault.sentence}")
    else:
        checked.entered = True
