"""Which state to take: of each log the newest that can be proven, and, for a whole one, the newest whose every need is
there (FORMAT.md section 13).

A file that is missing rules out the states that name it. So each log goes back to the first thing it misses; the newest
key file says which logs there must be and how long they were; and what one log gives up may be needed by another, so it
is looked at again until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from notevault.auditlog import anchor, checkpoint, headers
from notevault.auditlog.fault import Fault
from notevault.auditlog.note import Verify
from notevault.backup.copies.choice import Arriving, Choice, ChosenFiles
from notevault.backup.copies.facts import Facts, HeaderRef
from notevault.backup.copies.joined import Broken, Log
from notevault.backup.copies.port import HeaderName, State

if TYPE_CHECKING:
    from notevault.backup.copies.copies import Copies

MAX_WAYS = 8  # states tried beyond the entry at which a newer one broke off: of a log that forked
MAX_WORDS = 20


@dataclass
class _Found:
    """What all copies together have, and lack, of the logs' largest states."""

    facts: dict[str, Facts]
    tops: dict[str, State]
    missing: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)  # origin -> entry, digest; ascending
    without: set[bytes] = field(default_factory=set)  # destroyed by some entry, and in no copy
    unsealed: dict[str, list[int]] = field(default_factory=dict)  # entries that close an epoch without its seal
    beyond: int = 0  # entries that were signed, and are in no copy


class Chooser:
    def __init__(self, copies: Copies, viks: list[bytes], strangers: int) -> None:
        self._copies, self._viks, self._strangers = copies, viks, strangers
        self._logs: dict[str, tuple[Facts, list[tuple[int, bytes]]] | None] = {}
        self._signed: dict[str, int] = {}  # the largest state of each log that is signed, readable or not
        self._headers: dict[HeaderName, headers.Header | None] = {}

    def newest(self, at_ms: int | None) -> Choice | None:
        found = self._look(at_ms)
        if not found.tops:
            return None
        newest = self._choice(found, found.tops)
        return replace(newest, newer=self._arriving(found, newest, newest)) if found.beyond else newest

    def whole(self, at_ms: int | None) -> Choice | None:
        found = self._look(at_ms)
        states = self._settle(found)
        if not states:
            return None
        chosen = self._choice(found, states)
        if not chosen.whole:
            return None
        if states == found.tops and not found.beyond:
            return chosen
        newest = chosen if states == found.tops else self._choice(found, found.tops)
        return replace(chosen, newer=self._arriving(found, newest, chosen))

    def facts(self, origin: str) -> Facts | None:
        """Of the largest state that can be proven."""
        log = self._top(origin)
        return None if log is None else log[0]

    def beyond(self) -> dict[str, int]:
        """Log -> entries that were signed and are in no copy."""
        found = {origin: self.facts(origin) for origin in self._copies.origins()}
        lacking = {
            origin: self._signed.get(origin, 0) - (0 if facts is None else facts.log.size)
            for origin, facts in found.items()
        }
        return {origin: entries for origin, entries in lacking.items() if entries > 0}

    # -- one log

    def _top(self, origin: str) -> tuple[Facts, list[tuple[int, bytes]]] | None:
        if origin not in self._logs:
            self._logs[origin] = None
            names = self._copies.named(origin)
            for log in self._provable(origin, names):
                facts = Facts(log, self._copies.vault, self._viks, [size for size, _ in names], self._copies.verify)
                if self._state(origin, facts, log.size, log.root) is not None:
                    self._logs[origin] = facts, names
                    break
        return self._logs[origin]

    def _provable(self, origin: str, names: list[tuple[int, bytes]]) -> Iterator[Log]:
        """The logs of the signed states, the largest first, that can be put together."""
        below, ways = names[-1][0] if names else 0, 0
        for size, root in reversed(names):
            if size > below:
                ways += 1
                if ways > MAX_WAYS:
                    continue
            if next(self._copies.signed(origin, size, root), None) is None:
                continue
            self._signed.setdefault(origin, size)
            try:
                yield self._copies.joiner(origin).log(size, root)
            except Broken as broken:
                if broken.index < below:
                    below, ways = broken.index, 0

    def _state(self, origin: str, facts: Facts, size: int, root: bytes) -> State | None:
        """With the bytes that both signatures hold on: a vault restored with others would call its log forged."""
        if facts.roots.get(size) != root:
            return None
        keys = facts.epoch_keys(size, self._copies.cards[origin][0].epoch0_pub)
        for data in self._copies.signed(origin, size, root):
            found = checkpoint.parse(data)
            if not isinstance(found, Fault) and checkpoint.check_epoch(found, keys, self._copies.verify) is None:
                return State(origin, size, root, data)
        return None

    def _at_most(self, origin: str, limit: int, at_ms: int | None = None) -> State | None:
        """The largest state of at most so many entries, the last of them not later than that."""
        log = self._top(origin)
        if log is None:
            return None
        facts, names = log
        sizes = sorted({size for size, root in names if 0 < size <= limit and facts.roots.get(size) == root})
        if at_ms is not None:
            low, high = 0, len(sizes)  # clocks may jump back; then a state near the time is taken
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if facts.last_ms(sizes[middle]) <= at_ms else (low, middle)
            del sizes[low:]
        for size in reversed(sizes):
            state = self._state(origin, facts, size, facts.roots[size])
            if state is not None:
                return state
        return None

    # -- all of them

    def _look(self, at_ms: int | None) -> _Found:
        facts: dict[str, Facts] = {}
        tops: dict[str, State] = {}
        beyond = sum(self.beyond().values()) if at_ms is None else 0
        for origin in self._copies.origins():
            log = self._top(origin)
            if log is None:
                continue
            state = self._at_most(origin, log[0].log.size, at_ms)
            if state is not None:
                facts[origin], tops[origin] = log[0], state
        found = _Found(facts, tops, beyond=beyond)
        self._presence(found)
        for origin, log_facts in facts.items():
            found.unsealed[origin] = [
                close.index
                for close in log_facts.closes
                if close.index + 1 < tops[origin].size
                and not any(
                    self._copies.alleged_seals(origin, close.epoch, close.index + 1, log_facts.roots[close.index + 1])
                )
            ]
        return found

    def _presence(self, found: _Found) -> None:
        purged = {purge.digest for log in found.facts.values() for purge in log.purges}
        for origin in found.facts:
            found.missing[origin] = []
        for first in range(256):
            there = self._copies.files(first)
            for origin, facts in found.facts.items():
                size_of_log = found.tops[origin].size
                for digest, size, index in facts.records(first):
                    if index >= size_of_log or size in there.get(digest, ()):
                        continue
                    if digest in purged:
                        found.without.add(digest)
                    else:
                        found.missing[origin].append((index, digest))
        for missing in found.missing.values():
            missing.sort()

    def _settle(self, found: _Found) -> dict[str, State]:
        """The largest states that lack nothing; empty when there are none."""
        states: dict[str, State | None] = dict(found.tops)
        while True:
            limits = self._limits(found, {origin: state for origin, state in states.items() if state is not None})
            if not limits:
                return {origin: state for origin, state in states.items() if state is not None}
            for origin, limit in limits.items():
                states[origin] = self._at_most(origin, limit)

    def _limits(self, found: _Found, states: dict[str, State]) -> dict[str, int]:
        """The logs that lack something, and the size at which they do not."""
        limits: dict[str, int] = {}

        def at_most(origin: str, size: int) -> None:
            if size < states[origin].size:
                limits[origin] = min(limits.get(origin, size), size)

        for origin, state in states.items():
            if found.missing[origin] and found.missing[origin][0][0] < state.size:
                at_most(origin, found.missing[origin][0][0])
            for index in found.unsealed[origin][:1]:
                at_most(origin, index + 1)
        if limits:
            return limits
        for newest in self._newest(found.facts, states):
            if self._wrong(newest, states):
                at_most(newest.name.origin, newest.index)
        return limits

    def _wrong(self, ref: HeaderRef, states: dict[str, State]) -> list[str]:
        """What is wrong with the newest key file, in words; or with the logs that it lists."""
        header = self._header(ref.name)
        if header is None:
            return [f"key file {ref.name.seq}"]
        return [
            f"entries of log {origin[:8]} from number {states[origin].size if origin in states else 0} on"
            for origin, size in header.origins.items()
            if origin != ref.name.origin and size > (states[origin].size if origin in states else 0)
        ]

    def _newest(self, facts: dict[str, Facts], states: dict[str, State]) -> list[HeaderRef]:
        """The key files that no other one continues, the highest first: several where laptops went on apart.

        One continues another when it lists its log beyond the entry that names it, or calls it its `prev`.
        """
        last = [
            max(named, key=lambda ref: ref.index)
            for origin, state in states.items()
            if (named := [ref for ref in facts[origin].headers if ref.index < state.size])
        ]
        found: list[HeaderRef] = []
        for ref in sorted(last, key=lambda ref: _turn(ref.name), reverse=True):
            later = [header for one in found if (header := self._header(one.name)) is not None]
            if len(later) < len(found):
                break  # what it lists is not known
            name = ref.name
            if not any(one.origins.get(name.origin, -1) > ref.index or one.prev == name.digest for one in later):
                found.append(ref)
        return found

    def _header(self, name: HeaderName) -> headers.Header | None:
        """A key file that some copy has right and that the vault's identity signed."""
        if self._headers.get(name) is None:
            data = self._copies.header(name)
            header = None if data is None else headers.parse(data)
            good = (
                isinstance(header, headers.Header)
                and header.vault == self._copies.vault
                and header.vik in self._viks
                and headers.check(header, self._copies.verify) is None
            )
            self._headers[name] = header if good and isinstance(header, headers.Header) else None
        return self._headers[name]

    # -- what comes of it

    def _choice(self, found: _Found, states: dict[str, State]) -> Choice:
        facts = {origin: found.facts[origin] for origin in states}
        live = ChosenFiles(facts, {origin: state.size for origin, state in states.items()}, found.without)
        absent = {digest for origin in states for index, digest in found.missing[origin] if index < states[origin].size}
        lost = [f"{name.hex()[:16]}…" for name in sorted(absent)]
        for origin, state in states.items():
            lost += [f"seal of log {origin[:8]}" for index in found.unsealed[origin] if index + 1 < state.size]
        newest = self._newest(facts, states)
        lost += [words for ref in newest for words in self._wrong(ref, states)] if newest else ["any key file"]
        refs = [ref.name for origin in facts for ref in facts[origin].headers if ref.index < states[origin].size]
        there = sorted({name for name in refs if self._copies.header(name) is not None}, key=_turn)
        return Choice(
            states=states,
            live=live,
            headers=tuple(there),
            newest=tuple(ref.name for ref in newest if ref.name in there),
            missing=len(absent),
            whole=not lost,
            last_ms=max(facts[origin].last_ms(state.size) for origin, state in states.items()),
            lost=tuple(lost[:MAX_WORDS]),
            strangers=self._strangers,
            forked=tuple(origin for origin in states if self._contradicted(origin)),
            facts=facts,
        )

    def _contradicted(self, origin: str) -> bool:
        """Has a copy a signed state of another content than the entries that are used?"""
        log = self._top(origin)
        if log is None:
            return False
        facts, names = log
        others = [one for one in names if one[0] in facts.roots and facts.roots[one[0]] != one[1]]
        return any(next(self._copies.signed(origin, *one), None) is not None for one in others)

    def _arriving(self, found: _Found, newest: Choice, chosen: Choice) -> Arriving:
        absent = {digest for missing in found.missing.values() for _, digest in missing}
        only_here = 0
        for first in range(256):
            more = newest.live.part(first).keys() - chosen.live.part(first).keys()
            only_here += len(more - absent)
        expected = newest.live.count
        return Arriving(newest.states, expected - newest.missing, expected, only_here, newest.last_ms, found.beyond)


def _turn(name: HeaderName) -> tuple[int, str, str]:
    return name.seq, name.origin, name.digest


def counting(data: bytes, origin: str, size: int, root: bytes, identity: bytes, verify: Verify) -> bool:
    """Does this file prove that state (FORMAT.md section 7.1)?"""
    return not isinstance(anchor.check(origin, anchor.name_of(size, root), data, identity, verify, ""), Fault)
