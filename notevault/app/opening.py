"""Use cases around the door: set up, open, recover, change what opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.app import backing, restored
from notevault.backup.restore import rest as restore_rest
from notevault.crypto import kdf
from notevault.errors import CannotWrite, Damaged, NotevaultError, NotFound, NoVault, Refused, StorageFault, UsageFault
from notevault.storage import backupplace
from notevault.vault import fails, found, recover, rekey, unlock
from notevault.vault.env import Env
from notevault.vault.found import Kit
from notevault.vault.replay import Progress
from notevault.vault.session import Session
from notevault.vault.survey import survey

WEAK = 2  # of zxcvbn's 0 to 4: below this a passphrase is refused, since the file fallback leaves only it to guess


@dataclass(frozen=True)
class Strength:
    score: int
    sentence: str


def strength(passphrase: str) -> Strength:
    """How hard a passphrase is to guess: 0 to 4, and a sentence. The text is not kept."""
    from zxcvbn import zxcvbn

    text = passphrase.strip()[:72]  # it takes no more, and past that the score is at its highest anyway
    score = int(zxcvbn(text, max_length=72)["score"]) if text else 0
    words = (
        "That would be guessed at once.",
        "That would be guessed within minutes.",
        "That is fair; one more word makes it good.",
        "That is good.",
        "That is very good.",
    )
    return Strength(score, words[score])


def check_new_passphrase(passphrase: str) -> bytes:
    """Normalised bytes of a passphrase about to be set. UsageFault when it is empty, broken or easily guessed."""
    data = kdf.normalise(passphrase)
    found_strength = strength(passphrase)
    if found_strength.score < WEAK:
        raise UsageFault(
            f"This passphrase is too easy: {found_strength.sentence[0].lower()}{found_strength.sentence[1:]}",
            "Take four or more words that do not belong together, like a sentence nobody else would say.",
        )
    return data


def has_vault(env: Env, vault: Path) -> bool:
    """Whether something to open lies there; a folder that is damaged counts as there."""
    try:
        survey(env, vault)
    except NoVault:
        return False
    except NotevaultError:  # whatever is wrong with it, it is not absent
        return True
    return True


def set_up(env: Env, vault: Path, passphrase: str, params: kdf.KdfParams | None = None) -> tuple[Session, Kit]:
    """A new vault and its recovery sheet's content. Refused where there is one; CannotWrite for a folder in use."""
    backupplace.refuse(vault)
    data = check_new_passphrase(passphrase)
    if has_vault(env, vault):
        raise Refused(
            "There is a vault in this folder already.", "`notevault` opens it; --vault DIR names another place."
        )
    _take_away_unfinished(env, vault)
    return found.create(env, vault, data, params or kdf.choose_params(env.machine))


def _take_away_unfinished(env: Env, vault: Path) -> None:
    """An interrupted set-up never held anything: it is renamed. A folder with other things in it is left alone."""
    try:
        names = env.files.names(vault)
    except NotFound:
        return
    if not names:
        return
    if set(names) <= {"headers", "blobs", "audit"}:
        aside = vault.with_name(f"{vault.name}-unfinished-{env.clock.wall_ms()}")
        try:
            env.files.move(vault, aside)
        except (CannotWrite, Damaged, StorageFault) as fault:
            raise CannotWrite("A set-up that was interrupted lies in this folder and cannot be moved away.") from fault
        return
    raise Refused("This folder is not empty, and what is in it is no vault.", "Name a new folder with --vault DIR.")


def open_vault(
    env: Env,
    vault: Path,
    passphrase: str | None,
    *,
    shell: bool,
    keep_okm: bool = False,
    progress: Progress | None = None,
) -> Session:
    """An open session; None opens only what `remember` keeps. What backups left to be logged is entered now.

    Raises as `vault.unlock.unlock`.
    """
    backupplace.refuse(vault)
    data = None if passphrase is None else kdf.normalise(passphrase, opening=True)
    session = unlock.unlock(env, vault, data, shell=shell, keep_okm=keep_okm, progress=progress)
    backing.enter(session)
    return session


def recover_vault(
    env: Env,
    vault: Path,
    seed: bytes,
    fingerprint: bytes,
    passphrase: str,
    params: kdf.KdfParams | None = None,
    progress: Progress | None = None,
    *,
    elsewhere: int = 0,
) -> Session:
    """Open with the recovery sheet and make the vault this laptop's own. Raises as `vault.recover.recover`.

    A vault that a restore brought here is entered as restored; what is left of that is for `app.restored`.
    """
    backupplace.refuse(vault)
    data = check_new_passphrase(passphrase)
    chosen = params or kdf.choose_params(env.machine)
    rest = restore_rest.left(env.files, vault)
    highest = max(elsewhere, 0 if rest is None else rest.highest)
    session = recover.recover(env, vault, seed, fingerprint, data, chosen, progress, elsewhere=highest)
    if rest is not None and rest.vault == session.vault_id.hex():
        restored.enter(session, rest)
    return session


def change_passphrase(session: Session, passphrase: str, params: kdf.KdfParams | None = None) -> None:
    data = check_new_passphrase(passphrase)
    rekey.change_passphrase(session, data, params or kdf.choose_params(session.env.machine))


def knows_passphrase(session: Session, passphrase: str) -> bool:
    """Asked again before something that only its owner may do. A wrong one is logged, and told of at the next opening,
    as one at the door. Raises SecretsUnavailable.
    """
    if rekey.knows_passphrase(session, kdf.normalise(passphrase, opening=True)):
        return True
    fails.record(session.env, session.local, session.recorder, "passphrase")
    return False


def improve_kdf(session: Session, passphrase: str) -> bool:
    """After an unlock: a slot cheaper than today's policy is wrapped again. Whether it was."""
    for slot in session.header.slots:
        if rekey.is_own_slot(slot, session.device_id) and kdf.below_policy(kdf.KdfParams(slot.m, slot.t, slot.p)):
            data = kdf.normalise(passphrase, opening=True)
            rekey.change_passphrase(session, data, kdf.choose_params(session.env.machine), "policy")
            return True
    return False
