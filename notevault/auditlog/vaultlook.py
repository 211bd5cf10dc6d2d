"""One look at a vault's folder, step by step, as `vaultcheck` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Union

from . import card as cards
from . import disclosure as disclosures
from . import entry, keyfiles, outside, placelook, plain, stored, trust
from .absent import left_of, missing
from .blobs import check_blobs
from .check import examine
from .fault import Fault
from .headers import Header, HeaderFiles, load
from .headers import read as read_again
from .layout import Layout, around
from .note import Verify
from .outcome import LogReport, Seen, VaultVerdict
from .turns import in_turn
from .verdict import Finding, LogVerdict, Weight, add
from .walk import Room

MAX_FINDINGS = 100  # of each kind and weight; then one more says that there are more
Disclosed = Union[bytes, disclosures.Disclosure, None]  # noqa: UP007  (evaluated, and Python 3.9 has no other way)


@dataclass(frozen=True)
class Given:
    """What the auditor brought; see `vaultcheck.check_vault`."""

    card: bytes | str | None
    vik: bytes | None
    seen: tuple[Seen, ...]
    anchor_folders: tuple[Path, ...]
    cosigned: tuple[bytes, ...]
    witnesses: tuple[str, ...]
    disclosure: Disclosed
    log_only: bool


class Look:
    """`run`, then `verdict`."""

    def __init__(self, given: Given, layout: Layout, verify: Verify, progress: Callable[[str, int, int], None]) -> None:
        self._given, self._layout, self._verify, self._progress = given, layout, verify, progress
        self.verdict = VaultVerdict(log_only=given.log_only)
        self._readers = placelook.readers(layout, verify, given.card)
        own = {origin: read("card") for origin, read in self._readers.items()}
        self._cards = {origin: data for origin, data in own.items() if isinstance(data, bytes)}
        self._files = HeaderFiles()
        if layout.headers is not None:
            self._files = load(layout.headers, verify, progress=lambda done, total: progress("key files", done, total))
        self._trust = trust.settle(given.card, given.vik, self._cards, self._files.holding, verify)
        self._header: Header | None = None
        self._newer: frozenset[str] = frozenset()
        self._logs: dict[str, LogReport] = {}
        self._seen: dict[str, list[Seen]] = {}
        self._cited: dict[str, list[Seen]] = {}  # by a log that is proven
        self._left: dict[str, str] = {}  # logs without a signed state that were used; what is left of them, in words
        self._done = 0  # entries
        self._room = Room()
        self._strays = layout.strays + self._files.strays
        self._at_a_place = layout.kind == "place"

    def run(self) -> None:
        verdict, found = self.verdict, self._trust
        verdict.vault, verdict.fingerprint = found.vault, found.fingerprint
        for finding in found.findings:
            self._add(finding)
        self._whole_folder()
        self._current()
        known = self._known_cards()
        self._gather(known)
        mine = self._mine()
        for origin in self._in_order():
            self._log(origin, known, mine)
        self._absent()
        self._key_files()
        self._notes()
        self._remarks()
        verdict.logs = sorted(self._logs.values(), key=lambda log: (log.current, log.tally.first_ms or 0))

    def moved(self) -> bool:
        """Has a log another signed state by now than the one that was judged?"""
        for origin, log in self._logs.items():
            signed = stored.signed(self._readers[origin])
            if log.verdict.root and not isinstance(signed, Fault) and signed.root != log.verdict.root:
                return True
        return False

    # -- what there is

    def _whole_folder(self) -> None:
        for finding in placelook.arriving(self._readers):
            self._add(finding)
        for text in self._layout.refused:
            self._find("UNREADABLE", Weight.UNDECIDED, text)
        if self._layout.more_logs:
            text = f"UNLISTED: {self._layout.more_logs} logs more than were looked at lie here"
            self._find("UNLISTED", Weight.UNDECIDED, text)

    def _current(self) -> None:
        """The key file that lists the logs."""
        layout = self._layout
        if layout.headers is None:
            weight = Weight.NOTE if self._given.log_only and layout.kind not in ("vault", "place") else Weight.UNDECIDED
            text = "KEY FILES NOT CHECKED: none are here, so which logs the vault has is not known"
            self._find("NO_HEADER", weight, text)
            return
        found = keyfiles.current(layout.headers, self._files, self._trust, self._readers)
        if found is None:
            text = "No key file here holds: which logs are the vault's is not known"
            self._find("NO_HEADER", Weight.UNDECIDED, text)
        else:
            self._header, self._newer = found.header, found.newer
            self.verdict.headers.seq = found.seq

    def _known_cards(self) -> dict[str, cards.Card]:
        """The cards that the vault's identities signed, the one brought along before the folder's."""
        known = {}
        for origin, data in self._cards.items():
            own = cards.parse(data)
            if not isinstance(own, cards.Card) or own.origin != origin or own.vik_pub not in self._trust.viks:
                continue
            if cards.check(own, own.vik_pub, self._verify) is None:
                known[origin] = own
        pinned = self._trust.pinned
        if pinned is not None:
            known[pinned.origin] = pinned
        return known

    def _gather(self, known: dict[str, cards.Card]) -> None:
        """States seen outside, by log."""
        given, verify = self._given, self._verify
        found = list(given.seen)
        for number, folder in enumerate(given.anchor_folders, 1):
            place = "a backup place" if len(given.anchor_folders) == 1 else f"backup place {number}"
            found += self._told(
                outside.anchors(folder, known, verify, place, trust=self._trust, audited=around(self._layout))
            )
        found += self._told(outside.cosigned(given.cosigned, given.witnesses, known, verify))
        self.verdict.first_visit = not any(one.size and one.proven and (one.outside or one.own) for one in found)
        if self._layout.anchors is not None:
            own = self._layout.anchors
            found += self._told(outside.anchors(own, known, verify, outside.OWN, trust=self._trust, audited=own))
        found = self._told(placelook.within(found, self._readers))
        for one in found:
            self._seen.setdefault(one.origin, []).append(one)

    def _told(self, found: tuple[list[Seen], list[Finding]]) -> list[Seen]:
        for finding in found[1]:
            self._add(finding)
        return found[0]

    def _mine(self) -> disclosures.Matcher | None:
        given = self._given.disclosure
        found = disclosures.parse(given) if isinstance(given, bytes) else given
        if found is None:
            return None
        fault = found if isinstance(found, Fault) else None
        if not isinstance(found, Fault):
            fault = disclosures.check(found, self._trust.vault, self._trust.viks, self._verify)
            if fault is None:
                return disclosures.matcher(found)
        self._find(
            "NOT_USED", Weight.UNDECIDED, f"NOT USED: the disclosure that was given: {fault.sentence if fault else ''}"
        )
        return None

    # -- the logs

    def _in_order(self) -> list[str]:
        """Each log before the one that its first entry cites, so that it can vouch for it."""
        cited: dict[str, str] = {}
        for origin, read in self._readers.items():
            found = stored.entries_of(read, 1, 0)
            first = entry.parse(found[0]) if not isinstance(found, Fault) and found else None
            if isinstance(first, entry.Entry) and "cites" in first.k:
                cited[origin] = first.k["cites"]["origin"]
        return in_turn(self._readers, cited)

    def _log(self, origin: str, known: dict[str, cards.Card], mine: disclosures.Matcher | None) -> None:
        read, found = self._readers[origin], self._trust
        listed = None if self._header is None else origin in self._header.origins
        if origin in self._newer and read("checkpoint") is not None:
            listed = True
        if listed is False and origin in known and read("checkpoint") is not None:
            listed = None  # the vault's by its card: the key file that lists it may be what was tampered with
            text = (
                f"UNLISTED origin: no key file that holds lists the log {plain.short(origin)}, which this vault signed"
            )
            self._find("UNLISTED", Weight.UNDECIDED, text)
        if listed is False or (listed is None and self._foreign(origin, known)):
            self._unlisted(origin, self._foreign(origin, known))
            return
        pinned = found.pinned if found.pinned is not None and found.pinned.origin == origin else None
        log = examine(
            read, origin, pinned, found.viks, self._verify, self._entries,
            anchors=[*self._proven(origin), *self._cited.get(origin, ())], mine=mine, room=self._room,
        )  # fmt: skip
        if self._at_a_place:
            log.verdict.findings = [placelook.judged(finding) for finding in log.verdict.findings]
        log.listed, log.current = listed, self._header is not None and self._header.origin == origin
        self._done += log.verdict.found
        self._logs[origin] = log
        for finding in log.verdict.findings:
            if finding.code != "UNPINNED":
                self._add(replace(finding, sentence=f"{finding.sentence} (log {plain.short(origin)})"))
        if not found.outside and not any(finding.code == "UNPINNED" for finding in log.verdict.findings):
            text = "Nothing known beforehand says whose log this is"
            log.verdict.findings.append(Finding("UNPINNED", Weight.UNDECIDED, text))
        if log.cites is not None and log.verdict.proven:
            cited, size, root = log.cites
            source = f"the log {plain.short(origin)}, which follows it"
            # Whoever has the keys of both logs writes both anew, until somebody outside has seen the citing entry.
            seen = Seen(cited, size, root, source, log.tally.first_ms, found.outside and log.anchored > 0)
            self._cited.setdefault(cited, []).append(seen)

    def _entries(self, done: int, total: int) -> None:
        self._progress("log entries", self._done + done, self._done + total)

    def _foreign(self, origin: str, known: dict[str, cards.Card]) -> bool:
        """Is this, by its own card, simply the log of another vault?"""
        own = cards.parse(self._cards[origin]) if origin in self._cards else None
        if origin in known or not self._trust.viks or not isinstance(own, cards.Card) or own.origin != origin:
            return False
        return own.vik_pub not in self._trust.viks and cards.check(own, own.vik_pub, self._verify) is None

    def _unlisted(self, origin: str, foreign: bool) -> None:
        self._logs[origin] = LogReport(LogVerdict(origin), listed=False)
        begun = self._readers[origin]("checkpoint") is None
        keys = keyfiles.of_log(self._files, self._trust, origin)
        folder, seq = self._layout.logs[origin], self.verdict.headers.seq
        left = left_of(folder, self._readers[origin], keys, seq, origin in self._cards) if begun else ""
        if (
            begun
            and not foreign
            and (left or origin in self._due() or any(one.size for one in self._seen.get(origin, ())))
        ):
            self._logs[origin].listed = None  # it was used, so it is one of this vault that cannot be judged
            self._left[origin] = left
        elif begun and not left:
            text = f"A log {plain.short(origin)} was begun here and never used; it counts nowhere"
            self._find("UNLISTED", Weight.NOTE, text)
        else:
            text = f"UNLISTED origin: the log {plain.short(origin)} is not one of this vault; it counts nowhere"
            self._find("UNLISTED", Weight.UNDECIDED, text)

    def _proven(self, origin: str) -> list[Seen]:
        return [one for one in self._seen.get(origin, ()) if one.proven]

    def _due(self) -> dict[str, str]:
        """Logs that should be here, and who says so."""
        due: dict[str, str] = {}
        if self._trust.pinned is not None:
            due[self._trust.pinned.origin] = "the one whose card you hold"
        for origin in self._header.origins if self._header else ():
            due[origin] = f"which key file {self.verdict.headers.seq} lists"
        for origin, by in self._cited.items():
            due.setdefault(origin, f"which is followed by {by[0].source.split(',')[0]}")
        return due

    def _absent(self) -> None:
        """Logs that should be here and were not judged: listed, seen before, or of the card that was brought."""
        judged = set()
        for origin, log in self._logs.items():
            signed = self._readers[origin]("checkpoint") is not None
            if log.listed is not False and origin not in self._left and (signed or not self._proven(origin)):
                judged.add(origin)
        pinned = self._trust.outside
        for one in missing(self._due(), self._seen, self._left, self._logs, judged, self._layout, pinned):
            self._add(one)

    # -- key files, notes

    @property
    def _counted(self) -> list[LogReport]:
        return [log for log in self._logs.values() if log.listed is not False]

    def _key_files(self) -> None:
        folder = self._layout.headers
        if folder is None:
            return
        seq = self.verdict.headers.seq
        self.verdict.headers, findings = keyfiles.judge(
            self._files, self._trust, self._counted, self._logs, self._header, lambda one: read_again(folder, one)
        )
        self.verdict.headers.seq = seq
        for finding in findings:
            self._add(finding)
        if self._header is not None:
            for finding in keyfiles.sizes(self._header, self._logs, seq):
                self._add(finding)

    def _notes(self) -> None:
        counted = self._counted
        if self._given.log_only:
            self._find("LOG_ONLY", Weight.NOTE, "THE LOG ALONE: the notes' files were not looked at, as you asked")
        elif self._layout.blobs is None:
            if any(log.verdict.written for log in counted):
                text = "NOTES NOT CHECKED: the log names notes' files, and the folder has none"
                self._find("NOTES_NOT_CHECKED", Weight.UNDECIDED, text)
        else:
            sure = bool(counted) and all(log.verdict.proven and not log.verdict.purges_unchecked for log in counted)
            written, purged = [log.verdict.written for log in counted], [log.verdict.purged for log in counted]
            self.verdict.blobs, findings, strays = check_blobs(
                self._layout.blobs,
                written,
                purged,
                sure,
                lambda done, total: self._progress("bytes of notes", done, total),
                whole=all(finding.weight is Weight.NOTE for finding in self.verdict.findings),
            )
            self._strays += strays
            for finding in findings:
                self._add(finding)

    def _remarks(self) -> None:
        verdict = self.verdict
        if verdict.first_visit and self._counted:
            text = (
                "FIRST VISIT: nothing seen earlier was given; a log cut, rolled back or replaced before today"
                " would not show"
            )
            self._find("FIRST_VISIT", Weight.NOTE, text)
        for log in self._counted:
            if not log.verdict.proven:
                continue
            name = plain.short(log.verdict.origin)
            if log.unsealed_tail:
                entries = plain.last(log.unsealed_tail, "entry", "entries")
                text = f"NOT SEALED YET: {entries} of log {name}; who has today's keys could change them"
                self._find("NOT_SEALED_YET", Weight.NOTE, text)
            if log.unanchored_tail and not verdict.first_visit:
                entries = plain.last(log.unanchored_tail, "entry", "entries")
                self._find("NOT_ANCHORED", Weight.NOTE, f"NOT SEEN BEFORE: {entries} of log {name}")
        if self._strays:
            text = f"{plain.count(self._strays, 'file')} here not of notevault's making; not looked into"
            self._find("STRAY", Weight.NOTE, text)

    def _find(self, code: str, weight: Weight, sentence: str) -> None:
        self._add(Finding(code, weight, sentence))

    def _add(self, finding: Finding) -> None:
        found = placelook.judged(finding) if self._at_a_place else finding
        add(self.verdict.findings, found, MAX_FINDINGS)
