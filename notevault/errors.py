"""The error tree. Each class is one sentence a clinician understands, a next step and an exit code.

NotevaultError
├── UsageFault 64            the command or the answer cannot be used as given
├── Damaged 65               bytes that are not what they must be
│   ├── WrongSeal            a sealed thing does not open: moved, altered, or of another vault
│   ├── UnknownFormat        a version or suite this program does not know
│   └── LogDamaged           the log and its signed checkpoint disagree
├── Tampered 1               proof that something was changed after it was signed
├── Undecided 2              a check could not be carried out
├── NoVault 66               nothing there to open
├── NotFound 66              no such client, note or revision
│   └── Missing              a saved file that the log names is not in the vault
├── SecretsUnavailable 69    this laptop's key cannot be had
│   ├── KeyringAbsent  KeyringLocked  KeyringSilent  KeyringRefused  KeyringLied
│   └── SecretMissing  SecretForeign
├── OwnFault 70              a mistake of ours
├── CannotWrite 73           the disk refuses (permission, read-only, full, vault read-only)
│   ├── DiskFull
│   └── ReadOnlyVault        rolled back or forked: nothing is written until confirmed
├── StorageFault 74          input/output error
├── Busy 75                  another process holds the vault
├── Refused 77               not allowed as things stand
│   └── WrongSecret          wrong passphrase, or the wrong laptop's key
└── Interrupted 130

No message ever carries a passphrase, a key, a client's name or note text: a path, a count, an id at most.
"""

from __future__ import annotations


class NotevaultError(Exception):
    """Base of everything this program raises on purpose.

    `sentence` says what happened; `next_step` says what to do now (may be empty); `exit_code` is the
    process exit status (sysexits.h where one fits).
    """

    exit_code = 70
    default_step = ""

    def __init__(self, sentence: str, next_step: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = self.default_step if next_step is None else next_step


class UsageFault(NotevaultError):
    exit_code = 64
    default_step = "Type `notevault --help` for what is possible."


class Damaged(NotevaultError):
    exit_code = 65
    default_step = (
        "Keep the vault folder as it is: `notevault verify` shows what is affected, and `notevault backup heal` puts"
        " back what a backup still has."
    )


class WrongSeal(Damaged):
    """A sealed thing did not open, or opened as something other than what was expected."""


class UnknownFormat(Damaged):
    default_step = "Install the newest notevault; nothing was changed."


class LogDamaged(Damaged):
    """Fewer or other log bytes than the checkpoint covers. Never repaired silently."""


class Tampered(NotevaultError):
    exit_code = 1
    default_step = (
        "Keep the vault folder as it is: `notevault backup heal` puts its key files back, if a backup has them."
    )


class Undecided(NotevaultError):
    exit_code = 2


class NoVault(NotevaultError):
    exit_code = 66
    default_step = "`notevault` alone starts the set-up; `--vault DIR` names another folder."


class NotFound(NotevaultError):
    exit_code = 66
    default_step = "`notevault client list` and `notevault note list` show what there is."


class PlaceEmptied(NotFound):
    """A backup place whose disk is there, and of which nothing is: not unplugged, but deleted."""


class Missing(NotFound):
    """What the log names is not in the vault's folder: a loss, and no slip of whoever asked for it."""

    default_step = "Keep the vault folder as it is: `notevault backup heal` puts the file back, if a backup has it."


class SecretsUnavailable(NotevaultError):
    exit_code = 69
    default_step = "Your recovery sheet opens the vault without this laptop's key: `notevault recover`."


class KeyringAbsent(SecretsUnavailable):
    """No key store of an accepted kind answers on this machine."""


class KeyringLocked(SecretsUnavailable):
    default_step = "Unlock your system's key store (log in again, or answer its dialog) and try once more."


class KeyringSilent(SecretsUnavailable):
    """The key store did not answer within its time limit."""

    default_step = "Log out and in again, then try once more; your recovery sheet works without it."


class KeyringRefused(SecretsUnavailable):
    """A backend outside the allow-list: plaintext, null, fail, chained, unknown."""


class KeyringLied(SecretsUnavailable):
    """What was read back is not what was stored. Nothing was switched over to it."""


class SecretMissing(SecretsUnavailable):
    """The store answers, but holds no key for this vault on this laptop."""


class SecretForeign(SecretsUnavailable):
    """The item found belongs to another vault or another laptop."""


class OwnFault(NotevaultError):
    exit_code = 70
    default_step = "Nothing that was saved is lost. Please report this sentence."


class CannotWrite(NotevaultError):
    exit_code = 73
    default_step = "Check that the folder exists and that you may write to it."


class DiskFull(CannotWrite):
    default_step = "Free some space and save again; your text is still here."


class ReadOnlyVault(CannotWrite):
    default_step = "Run `notevault doctor`: it says why the vault is read-only and how to go on."


class StorageFault(NotevaultError):
    exit_code = 74
    default_step = "Try once more; if it happens again, the disk may be failing: copy the vault folder elsewhere."


class Busy(NotevaultError):
    exit_code = 75
    default_step = "Close the other notevault window, or wait a moment and try again."


class Refused(NotevaultError):
    exit_code = 77


class WrongSecret(Refused):
    """Passphrase or this laptop's key do not open this slot. The only error after which the next slot is tried."""

    default_step = "Check Caps Lock and the keyboard layout, and type it again."


class Interrupted(NotevaultError):
    exit_code = 130
    default_step = ""
