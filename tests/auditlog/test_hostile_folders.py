"""Folders made to cost hours, gigabytes or a wrong answer: each price is bounded, and what was left out is said."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle, checkpoint, cli, ed25519, edwards, entry, folder, headers, outside, walk
from notevault.auditlog.check import examine
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import VaultVerdict
from notevault.auditlog.pubkeys import usable
from notevault.auditlog.turns import in_turn
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from tests.auditlog import sample
from tests.auditlog.forge import FastKey, Forge, busy, put

holes = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs files with holes")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links")


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, **more})


def codes(verdict: VaultVerdict, weight: Weight) -> set[str]:
    return {finding.code for finding in verdict.of(weight)}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Generous: what it guards against takes minutes or never ends."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    made = Forge(tmp_path / "vault")
    made.begin()
    return made


# -- notes' files


@holes
def test_a_file_of_ten_tebibytes_that_are_not_there_is_not_hashed(vault: Forge) -> None:
    digest, size = hashlib.sha256(b"x").hexdigest(), 10 << 40
    vault.logs[0].add("record.write", c=digest, z=size)
    vault.store()
    path = put(vault.blob_path(digest), b"")
    try:
        os.truncate(path, size)
    except OSError:
        pytest.skip("no such long files here")
    with within(60):
        verdict = check(vault)
    assert (verdict.exit_code, verdict.blobs.unreadable) == (2, 1)
    assert any("holes" in finding.sentence for finding in verdict.of(Weight.UNDECIDED))


def test_a_long_file_that_is_really_there_is_hashed_and_counted_in_bytes(vault: Forge) -> None:
    data, calls = random.Random(1).randbytes(3 << 20), []
    vault.logs[0].write(data)
    vault.store()
    verdict = check(vault, progress=lambda *call: calls.append(call))
    assert (verdict.exit_code, verdict.blobs.sound) == (0, 1)
    notes = [call for call in calls if call[0] == "bytes of notes"]
    assert len(notes) >= 3, "it moves within one file"
    assert notes[-1][1:] == (3 << 20, 3 << 20)


@posix
def test_a_long_file_under_many_names_is_read_once(vault: Forge) -> None:
    data, calls = random.Random(1).randbytes(2 << 20), []
    digest = vault.logs[0].write(data)
    others = [hashlib.sha256(b"%d" % k).hexdigest() for k in range(20)]
    for other in others:
        vault.logs[0].add("record.write", c=other, z=len(data))
    vault.store()
    for other in others:
        vault.blob_path(other).parent.mkdir(exist_ok=True)
        os.link(vault.blob_path(digest), vault.blob_path(other))
    verdict = check(vault, progress=lambda *call: calls.append(call))
    assert (verdict.exit_code, verdict.blobs.sound, verdict.blobs.changed) == (1, 1, 20)
    assert max(done for what, done, _ in calls if what == "bytes of notes") == len(data)


# -- entries


def test_gaps_are_counted_together_and_told_of_as_ranges(vault: Forge) -> None:
    log = vault.logs[0]
    vault.store()
    log.sign(log.statement(2**53 - 1, b"\1" * 32, 0))
    for k in range(50):  # an empty file after every 1,000 that are not there
        put(log.folder / "entries" / bundle.tile_path(k * 1000), b"")
    with within(30):
        verdict = check(vault, log_only=True)
    assert verdict.exit_code == 1
    assert len(verdict.logs[0].roots) < 5000
    missing = [one for one in verdict.findings if one.code == "MISSING"]
    assert [(one.first, one.last) for one in missing[:2]] == [(256, 255999), (256256, 511999)]


def test_a_size_that_nobodys_card_vouches_for_is_not_walked_to(vault: Forge) -> None:
    vault.recover()
    vault.store()
    log, thief = vault.logs[1], FastKey("thief")
    (log.folder / "card").unlink()
    log.sign(checkpoint.make(log.origin, 2**53 - 1, b"\1" * 32, 0, thief.sign, thief.sign, thief.pub, thief.pub))
    for k in range(20):
        put(log.folder / "entries" / bundle.tile_path(k * 4096), b"")
    verdict = check(vault, log_only=True)
    assert verdict.exit_code != 0
    assert all(len(one.roots) <= 20 for one in verdict.logs)


def test_only_the_first_malformed_entries_are_diagnosed() -> None:
    data = b'{"a":' + b"[" * 9000
    assert isinstance(entry.parse(data), Fault)
    quick = entry.parse(data, diagnose=False)
    assert isinstance(quick, Fault)
    sound = entry.encode({**sample.fields(0, "vault.create"), "p": "0" * 32})
    assert entry.parse(sound, diagnose=False) == entry.parse(sound)


def test_days_and_the_like_have_room_once_for_all_logs_together(tmp_path: Path) -> None:
    made = busy(tmp_path / "vault", 300, logs=2)
    room = walk.Room(days=3, listed=0, headers=0, seals=0)
    reports = [
        examine(folder.folder_reader(log.folder), log.origin, log.card, made.vik, sample.verify, room=room)
        for log in made.logs
    ]
    assert sum(len(one.tally.days) + len(one.tally.kept) + len(one.tally.backups) for one in reports) == 3
    assert [len(one.seals) for one in reports] == [len(one.verdict.headers) for one in reports] == [0, 0]
    assert all(one.seals_total for one in reports)
    assert {"UNREADABLE", "MORE"} <= {finding.code for finding in reports[0].verdict.findings}, "and it is said"


# -- identities, purges, logs that cite each other


def _chain(n: int) -> list[headers.HeaderFile]:
    keys = [hashlib.sha256(b"%d" % k).digest() for k in range(n)]
    pairs = pairwise(keys)
    return [headers.HeaderFile(k, "o", "d", 1, vault="v", vik=new, former=old) for k, (old, new) in enumerate(pairs)]


def test_a_chain_of_identities_is_followed_in_one_pass() -> None:
    files = _chain(20_000)
    with within(20):
        found = headers.identities(files, files[0].former or b"", "v")
    assert len(found) == 20_000
    short = _chain(5)
    assert headers.identities(short, short[1].vik, "v") == [
        short[3].vik, short[2].vik, short[1].vik, short[0].vik, short[0].former,
    ]  # fmt: skip


def test_more_identities_than_any_vault_had_leave_it_undecided_and_are_no_proof(vault: Forge) -> None:
    first = vault.card
    for k in range(headers.MAX_IDENTITIES + 3):
        vault.renew(f"vik {k}")
    vault.store()
    put(vault.logs[0].folder / "card", first)
    verdict = check(vault, card=first, log_only=True)
    assert verdict.exit_code == 2
    assert any("identities sign for each other" in one.sentence for one in verdict.of(Weight.UNDECIDED))


def test_false_signatures_of_purges_are_not_tried_without_end(vault: Forge) -> None:
    first = vault.card
    for k in range(40):
        vault.renew(f"vik {k}")
    nothing = base64.b64encode(bytes(64)).decode()
    for k in range(200):
        vault.logs[0].add("record.purge", c=f"{k:064x}", z=1, k={"sig": nothing})
    vault.store()
    put(vault.logs[0].folder / "card", first)
    tried = 0

    def counting(pub: bytes, message: bytes, sig: bytes) -> bool:
        nonlocal tried
        tried += message.startswith(walk.PURGE)
        return sample.verify(pub, message, sig)

    verdict = check(vault, card=first, verify=counting, log_only=True)
    assert tried <= walk.MAX_SIGNS
    assert "FORGED" in codes(verdict, Weight.TAMPERED)
    assert "UNREADABLE" in codes(verdict, Weight.UNDECIDED), "what was not tried is said"


def test_a_note_is_not_called_missing_where_its_destruction_was_not_tried(vault: Forge) -> None:
    """All the purges are the vault's; only, by this check's limit, they come too late."""
    log, old = vault.logs[0], vault.card
    for k in range(40):
        vault.renew(f"vik {k}")
    digests = [log.write(b"note %d" % k) for k in range(60)]
    for k, digest in enumerate(digests):  # by ever another identity, so that each takes many trials
        log.purge(digest, key=FastKey(f"vik {k * 17 % 40}"))
    vault.store()
    put(log.folder / "card", old)
    verdict = check(vault, card=old)
    assert verdict.exit_code == 2
    assert "BLOB_MISSING" not in codes(verdict, Weight.TAMPERED)


def test_logs_that_cite_each_other_are_ordered_in_one_pass() -> None:
    names = [f"{k:032x}" for k in range(50_000)]
    with within(30):
        assert in_turn(reversed(names), dict(pairwise(names))) == names


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefghxy")), st.sets(st.sampled_from("abcdefgh"))
)
def test_each_log_has_one_turn_before_the_one_it_cites_save_in_a_ring(cites: dict[str, str], logs: set[str]) -> None:
    cites = {one: of for one, of in cites.items() if one in logs}
    order = in_turn(logs, cites)
    assert sorted(order) == sorted(logs)
    for one, of in cites.items():
        seen, at = set(), of
        while at in cites and at not in seen:
            seen.add(at)
            at = cites[at]
        if of in logs and of not in seen | {at} - ({of} if of not in cites else set()):
            assert order.index(one) < order.index(of)


# -- key files


def _planted(vault: Forge, filling: bytes, count: int) -> None:
    base = vault.headers[0].data
    for k in range(count):
        data = base.replace(b'"slots":[]', b'"slots":[' + filling + b"]").replace(
            b'"seq":1,', b'"seq":%d,' % (9000 + k)
        )
        data = data.replace(b'"prev":"' + b"0" * 64, b'"prev":"' + b"1" * 64)
        name = f"{9000 + k:08d}-{hashlib.sha256(data).hexdigest()}"
        put(vault.folder / "headers" / vault.logs[0].origin / name, data)


@pytest.mark.parametrize("unit", [b"{}", b'{"":[[]]}', b'{"":0}'])
def test_a_key_file_of_a_million_objects_is_refused_before_any_is_built(vault: Forge, unit: bytes) -> None:
    vault.store()
    _planted(vault, b",".join([unit] * ((4 << 20) // (len(unit) + 1) - 5000)), 2)
    seen: list[tuple[str, int, int]] = []
    tracemalloc.start()
    try:
        verdict = check(vault, log_only=True, progress=lambda *call: seen.append(call))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    assert verdict.exit_code == 0
    assert "HEADER_UNNAMED" in codes(verdict, Weight.NOTE)
    assert [call for call in seen if call[0] == "key files"][-1] == ("key files", 3, 3)


def test_a_long_key_file_that_the_vault_signed_still_counts(vault: Forge) -> None:
    vault.headers.clear()
    vault.logs.clear()
    real = vault.make_header
    vault.make_header = lambda log, index, **more: real(log, index, table=bytes(2 << 20), **more)  # type: ignore[method-assign]
    vault.begin("long")
    vault.store()
    assert len(vault.headers[0].data) > headers._PLAIN
    assert check(vault, log_only=True).headers.sound == 1


def test_as_many_files_in_the_place_of_logs_as_listed_logs_cost_no_more_than_both(vault: Forge) -> None:
    real = vault.make_header
    more = {f"{k:032x}": 0 for k in range(1 << 20, (1 << 20) + 5000)}
    vault.make_header = lambda log, index, **rest: real(log, index, origins={log.origin: index, **more}, **rest)  # type: ignore[method-assign]
    vault.header()
    vault.store()
    for k in range(3000):
        (vault.folder / "audit" / f"{k:032x}").touch()
    with within(30):
        verdict = check(vault, log_only=True)
    assert verdict.exit_code == 2
    assert len(verdict.findings) < 500


# -- public keys


def _neutral_sig(scalar: int = 7) -> bytes:
    """Holds, by the equation alone, for every message under a key that is the neutral point."""
    return edwards.encode(edwards.sum_of_products((scalar, edwards.base()))) + scalar.to_bytes(32, "little")


ODD_KEYS = [0, 1, edwards.P - 1, edwards.P, edwards.P + 1, edwards.P + 18, 1 | 1 << 255, edwards.P + 1 | 1 << 255]


@pytest.mark.parametrize("number", ODD_KEYS)
def test_both_verifiers_refuse_a_key_of_small_order_or_of_a_second_spelling(number: int) -> None:
    pub = number.to_bytes(32, "little")
    quick, _ = cli.verifier()
    assert not usable(pub)
    assert quick(pub, b"any", _neutral_sig()) is ed25519.verify(pub, b"any", _neutral_sig()) is False


def test_every_point_of_small_order_is_refused() -> None:
    """Found by multiplying random points by the group's order: what is left lies in the subgroup of eight."""
    small = set()
    for k in range(60):
        point = edwards.decode(hashlib.sha256(b"%d" % k).digest())
        if point is not None:
            small.add(edwards.encode(edwards.sum_of_products((edwards.L, edwards.multiples(point)))))
    assert len(small) == 8
    assert not any(map(usable, small))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=4))
def test_the_two_verifiers_agree(pub: bytes, message: bytes) -> None:
    quick, _ = cli.verifier()
    good = FastKey("k").sign(message)
    assert quick(pub, message, good) == ed25519.verify(pub, message, good)
    assert quick(FastKey("k").pub, message, good) is ed25519.verify(FastKey("k").pub, message, good) is True


def test_a_log_with_such_a_key_has_one_verdict_by_whichever_verifier(vault: Forge) -> None:
    class Odd:
        pub = (edwards.P + 1).to_bytes(32, "little")

        def sign(self, _message: bytes) -> bytes:
            return _neutral_sig()

    log = vault.logs[0]
    vault._keys[f"epoch 1 of {log.name}"] = Odd()  # type: ignore[assignment]
    log.close()
    log.add("session.open")
    vault.store()
    assert {check(vault, verify=one, log_only=True).exit_code for one in (ed25519.verify, cli.verifier()[0])} == {1}


# -- anchors, reading


def test_of_very_many_anchors_the_longest_are_listed_in_little_memory(tmp_path: Path) -> None:
    for k in range(1, 6001):
        (tmp_path / f"{k}-{k:064x}").touch()
    listed, strange = outside._listed(tmp_path)
    assert (len(listed), max(listed)[0], min(listed)[0], strange) == (4096, 6000, 1905, 0)


@posix
def test_a_link_on_the_way_to_a_file_is_never_followed(tmp_path: Path) -> None:
    put(tmp_path / "out" / "001", b"outside")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "entries").symlink_to(tmp_path / "out")
    assert isinstance(folder.read_file(tmp_path / "log", "entries/001", 100), Fault)
    put(tmp_path / "log" / "seals" / "001", b"inside")
    assert folder.read_file(tmp_path / "log", "seals/001", 100) == b"inside"
    assert folder.read_file(tmp_path / "log", "seals/001", 2) == b"ins"
    assert folder.read_file(tmp_path / "log", "seals/none", 2) is None
    assert folder.read_file(tmp_path / "log", "none/001", 2) is None


class _Pieces:
    """A file that gives a few bytes at a time, and then says that it would have to wait."""

    def __init__(self, *pieces: bytes | None) -> None:
        self._pieces = list(pieces)

    def read(self, size: int) -> bytes | None:
        piece = self._pieces.pop(0)
        return None if piece is None else piece[:size]


@pytest.mark.parametrize("pieces", [(None,), (b"ab", None)])
def test_a_read_that_would_wait_is_an_error_and_no_end_of_the_file(pieces: tuple[bytes | None, ...]) -> None:
    read: Callable[..., Any] = folder._whole
    assert isinstance(read(_Pieces(*pieces), 10, "x"), Fault)
    assert read(_Pieces(b"ab", b"c", b""), 10, "x") == b"abc"
