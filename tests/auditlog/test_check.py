"""What a check of a log promises: an intact log is intact, and every change is found and named."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import bundle, card, merkle
from notevault.auditlog.check import check_log, folder_reader
from notevault.auditlog.fault import Fault
from notevault.auditlog.verdict import LogVerdict, Weight
from tests.auditlog import sample
from tests.auditlog.sample import BUNDLE, CARD, EPOCH1, ORIGIN, VIK, Key, Log, fields


def checked(log: Log, **more: Any) -> LogVerdict:
    return check_log(log.read, ORIGIN, vik=VIK.pub, verify=sample.verify, **more)


def codes(verdict: LogVerdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


@pytest.fixture(scope="module")
def thousand() -> list[bytes]:
    return sample.entries(1000)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 1000])
def test_an_intact_log_of_any_size_is_proven(size: int, thousand: list[bytes]) -> None:
    log = Log.of(thousand[:size])
    verdict = checked(log)
    assert (verdict.exit_code, verdict.findings, verdict.proven) == (0, [], True)
    assert (verdict.size, verdict.found, sum(verdict.counts.values())) == (size, size, size)
    assert verdict.root == merkle.root(log.leaves)


def test_the_built_in_verifier_comes_to_the_same_verdict() -> None:
    verdict = check_log(Log.of(sample.entries(3)).read, ORIGIN, CARD)
    assert (verdict.exit_code, verdict.findings) == (0, [])


def test_an_intact_log_tells_its_blobs_headers_and_events() -> None:
    makers = [
        lambda i: fields(i, "vault.create"),
        lambda i: fields(i, "record.write"),
        lambda i: fields(i, "record.purge"),
        lambda i: fields(i, "record.sign"),
        lambda i: fields(i, "header.write"),
        lambda i: fields(i, "settings.change"),
    ]
    verdict = checked(Log.of(sample.chain(makers)))
    assert verdict.findings == []
    assert set(verdict.live) == {sample.blob_digest(3), sample.blob_digest(5)}
    assert set(verdict.purged) == {sample.blob_digest(1)}
    assert [(ref.index, ref.seq, ref.digest) for ref in verdict.headers] == [
        (0, 1, sample.blob_digest(0)),
        (4, 5, sample.blob_digest(4)),
    ]
    assert verdict.counts["record.purge"] == 1


def test_a_purge_without_the_vaults_signature_is_forged_and_the_blob_stays_live() -> None:
    forged = sample.purge_sig(sample.blob_digest(1), Key("stranger"))
    makers = [
        lambda i: fields(i, "vault.create"),
        lambda i: fields(i, "record.write"),
        lambda i: fields(i, "record.purge", k={"sig": forged}),
    ]
    verdict = checked(Log.of(sample.chain(makers)))
    assert (codes(verdict), verdict.exit_code) == (["FORGED"], 1)
    assert sample.blob_digest(1) in verdict.live


def test_every_altered_byte_of_a_small_log_is_found() -> None:
    """Each byte of each file, changed in one bit; `hashes` is a cache and cannot change a verdict."""
    log = Log.of(sample.entries(4))
    for name in ("card", "checkpoint", "open"):
        data = log.files[name]
        for at in range(len(data)):
            spoiled = bytearray(data)
            spoiled[at] ^= 1 << at % 8
            log.files[name] = bytes(spoiled)
            verdict = checked(log)
            assert verdict.exit_code == 1, (name, at)
            assert not verdict.proven, (name, at)
        log.files[name] = data
    assert checked(log).exit_code == 0


@pytest.mark.parametrize("name", ["card", "checkpoint", "open"])
def test_every_shortened_file_is_found(name: str) -> None:
    log = Log.of(sample.entries(3))
    data = log.files[name]
    for length in range(len(data)):
        log.files[name] = data[:length]
        assert checked(log).exit_code == 1, length


def test_sampled_altered_bytes_of_a_large_log_are_found_and_placed(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    chance = random.Random(7)
    for _ in range(12):
        q = chance.randrange(3)
        name = f"entries/{q:03d}"
        data = bytearray(log.files[name])
        at = chance.randrange(len(data))
        log.files[name], kept = bytes(data[:at]) + bytes([data[at] ^ 4]) + bytes(data[at + 1 :]), bytes(data)
        verdict = checked(log)
        log.files[name] = kept
        assert codes(verdict) == ["REWRITTEN"], (name, at)
        assert q * BUNDLE <= verdict.findings[0].first <= verdict.findings[0].last < (q + 1) * BUNDLE


def _later(values: dict[str, Any]) -> None:
    values["t"] += 86_400_000


def test_rewritten_entries_are_placed_up_to_where_the_old_chain_holds_again(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    log.lay(sample.rechain(thousand, 300, 321, _later))
    finding = checked(log).findings[0]
    assert (finding.code, finding.first, finding.last) == ("REWRITTEN", 256, 320)
    assert "REWRITTEN between entries 256-320; first sign: entry 321" in finding.sentence


def test_a_known_prefix_narrows_the_place(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    seen = (290, merkle.root(log.leaves[:290]))
    log.lay(sample.rechain(thousand, 300, 321, _later))
    finding = checked(log, anchors=[seen]).findings[0]
    assert (finding.first, finding.last) == (290, 320)


def test_a_log_rechained_to_its_end_is_found_without_any_cache(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    log.lay(sample.rechain(thousand, 300, 1000, _later))
    del log.files["hashes"]
    verdict = checked(log)
    assert [(f.code, f.first, f.last) for f in verdict.findings] == [("REWRITTEN", 0, 999)]
    assert verdict.exit_code == 1


def test_a_lying_cache_changes_nothing(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    log.files["hashes"] = bytes(96)
    assert checked(log).exit_code == 0


def test_a_missing_bundle_is_named_and_nothing_else_is_accused(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    del log.files["entries/001"]
    verdict = checked(log)
    assert [(f.sentence, f.weight) for f in verdict.findings] == [("MISSING entries 256-511", Weight.TAMPERED)]


@pytest.mark.parametrize("cut", [1, 2, 200, 232])
def test_a_cut_end_is_truncated(cut: int, thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    log.lay(thousand[: 1000 - cut])
    assert [f.sentence for f in checked(log).findings] == [f"TRUNCATED: signed 1000, found {1000 - cut}"]


def test_cut_bundles_are_truncated_too(thousand: list[bytes]) -> None:
    log = Log.of(thousand)
    for name in ("open", "entries/002", "entries/001"):
        del log.files[name]
    assert [f.sentence for f in checked(log).findings] == ["TRUNCATED: signed 1000, found 256"]


def test_the_rest_of_an_interrupted_commit_is_told_and_counts_nowhere(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:10])
    log.files["open"] += b"\x01\x02half"
    verdict = checked(log)
    assert (codes(verdict), verdict.exit_code, verdict.found) == (["UNCOMMITTED"], 0, 10)


def test_a_full_bundle_not_renamed_yet_is_read_from_open(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:512])
    log.files["open"] = log.files.pop("entries/001")
    assert (checked(log).exit_code, checked(log).findings) == (0, [])


def test_an_older_checkpoint_beside_newer_bundles_that_follow_on_accuses_nobody_and_passes_nothing(
    thousand: list[bytes],
) -> None:
    """A copy that was begun before they were written looks the same."""
    log = Log.of(thousand[:600])
    log.files["checkpoint"] = log.checkpoint(300)
    verdict = checked(log)
    assert [(f.weight, f.sentence) for f in verdict.findings] == [
        (
            Weight.UNDECIDED,
            "OLDER STATE: 300 entries are signed, and 212 newer entries that follow on lie beside them: a copy made"
            " while the log was written to, or rolled back",
        )
    ]
    assert (verdict.exit_code, verdict.found, verdict.proven) == (2, 300, True)
    seen = merkle.root([merkle.leaf_hash(data) for data in thousand[:400]])
    assert checked(log, anchors=[(400, seen)]).exit_code == 1
    log.files["checkpoint"] = log.checkpoint(100)
    assert "412 newer entries" in checked(log).findings[0].sentence
    log.files["entries/001"] = log.files["entries/001"][:-5]  # still being copied
    assert checked(log).exit_code == 2


def test_newer_bundles_that_do_not_follow_on_are_a_rollback(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:600])
    log.files["checkpoint"] = log.checkpoint(300)
    changed = [*thousand[256:400], thousand[0], *thousand[401:512]]
    log.files["entries/001"] = bundle.pack(changed)
    assert [f.sentence for f in checked(log).findings] == [
        "ROLLED BACK: signed 300, but the log once held 512 entries or more"
    ]
    assert checked(log).exit_code == 1


def test_whole_entries_behind_the_signed_ones_are_counted(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:12])
    log.files["checkpoint"] = log.checkpoint(10)
    verdict = checked(log)
    assert (codes(verdict), verdict.exit_code) == (["UNCOMMITTED"], 0)
    assert verdict.findings[0].sentence.startswith("2 whole entries lie behind the signed ones and follow on: ")
    log.files["open"] = bundle.pack([*thousand[:10], thousand[3]])
    assert "with 1 whole entry that does not follow on" in checked(log).findings[0].sentence


def test_a_log_shorter_than_one_seen_before_is_rolled_back(thousand: list[bytes]) -> None:
    seen = (700, merkle.root([merkle.leaf_hash(data) for data in thousand[:700]]))
    verdict = checked(Log.of(thousand[:600]), anchors=[seen])
    assert [f.sentence for f in verdict.findings] == ["ROLLED BACK: you saw 700 entries, now 600 are signed"]
    assert verdict.exit_code == 1


def test_a_log_that_continued_otherwise_is_forked(thousand: list[bytes]) -> None:
    leaves = [merkle.leaf_hash(data) for data in sample.rechain(thousand[:600], 500, 600, _later)]
    verdict = checked(Log.of(thousand[:700]), anchors=[(600, merkle.root(leaves)), (400, merkle.root(leaves[:400]))])
    assert [f.sentence for f in verdict.findings] == ["FORKED: the first 600 entries are not what you saw"]


NAMES = ["card", "checkpoint", "open", "hashes", "entries/000"]
SIX_HUNDRED = sample.entries(600)
BAD_SIGNED: list[tuple[str, list[Callable[[int], dict[str, Any]]]]] = [
    ("calls itself entry 7", [lambda i: fields(i, "vault.create"), lambda i: fields(7, "session.list")]),
    ("which may not stand there", [lambda i: fields(i, "session.list")]),
    ("which may not stand there", [lambda i: fields(i, "vault.create"), lambda i: fields(i, "vault.create")]),
    ("is of epoch 1", [lambda i: fields(i, "vault.create"), lambda i: fields(i, "session.list", e=1)]),
]


@pytest.mark.parametrize(("words", "makers"), BAD_SIGNED)
def test_a_log_signed_over_wrong_entries_is_malformed(
    words: str, makers: list[Callable[[int], dict[str, Any]]]
) -> None:
    verdict = checked(Log.of(sample.chain(makers)))
    assert any(f.code == "MALFORMED" and words in f.sentence for f in verdict.findings)
    assert verdict.exit_code == 1


def test_a_log_signed_over_a_broken_chain_is_malformed() -> None:
    entries = sample.entries(5)
    verdict = checked(Log.of([*entries[:2], *sample.rechain(entries, 2, 3, _later)[2:3], *entries[3:]]))
    assert [f.sentence for f in verdict.findings] == ["MALFORMED entry 3: it does not follow from the entry before it"]


def _two_epochs(last: str = "session.open") -> list[bytes]:
    first = [lambda i: fields(i, "vault.create"), lambda i: fields(i, "epoch.close")]
    return sample.chain([*first, lambda i: fields(i, last, e=1)])


def test_a_log_over_two_epochs_with_its_seal_is_intact() -> None:
    log = Log.of(_two_epochs(), 1, EPOCH1)
    log.files["seals/00000000"] = Log.of(log.entries[:2]).files["checkpoint"]
    assert (checked(log).exit_code, checked(log).findings, checked(log).epoch) == (0, [], 1)


def test_a_closed_epoch_without_its_seal_is_not_passed() -> None:
    verdict = checked(Log.of(_two_epochs(), 1, EPOCH1))
    assert ([f.sentence for f in verdict.findings], verdict.exit_code) == (
        ["NOT SEALED: epoch 0, which entry 1 closes"],
        2,
    )


@pytest.mark.parametrize("size", [1, 3])
def test_a_seal_of_another_size_is_forged(size: int) -> None:
    log = Log.of(_two_epochs(), 1, EPOCH1)
    log.files["seals/00000000"] = Log.of(log.entries[:size]).files["checkpoint"]
    assert codes(checked(log)) == ["FORGED"]


def test_a_checkpoint_signed_by_a_past_epochs_key_is_forged() -> None:
    log = Log.of(_two_epochs(), 0)
    log.files["seals/00000000"] = Log.of(log.entries[:2]).files["checkpoint"]
    assert [f.sentence for f in checked(log).findings] == [
        "FORGED checkpoint: it is signed in epoch 0, the log is in 1"
    ]


def test_a_checkpoint_of_the_right_identity_and_a_wrong_epoch_key_is_forged() -> None:
    log = Log.of(sample.entries(3), 0, Key("stranger"))
    assert [f.sentence for f in checked(log).findings] == ["FORGED checkpoint: the signature names another key"]


def test_a_whole_log_of_another_vault_is_not_believed() -> None:
    log = Log.of(sample.entries(3))
    verdict = check_log(log.read, ORIGIN, vik=Key("another vault").pub, verify=sample.verify)
    assert (codes(verdict), verdict.exit_code, verdict.proven) == (["FORGED"], 1, False)


def test_without_anything_from_outside_the_verdict_is_undecided() -> None:
    verdict = check_log(Log.of(sample.entries(3)).read, ORIGIN, verify=sample.verify)
    assert (codes(verdict), verdict.exit_code) == (["UNPINNED"], 2)


def test_the_card_one_holds_outweighs_the_folders() -> None:
    log = Log.of(sample.entries(3))
    log.files["card"] = card.make(5, "00" * 16, EPOCH1.pub, Key("x").pub, "11" * 16, VIK.pub, VIK.sign)
    verdict = check_log(log.read, ORIGIN, CARD, verify=sample.verify)
    assert (codes(verdict), verdict.proven) == (["FORGED"], True)


@pytest.mark.parametrize(("name", "code"), [("card", "NO_CARD"), ("checkpoint", "NO_CHECKPOINT")])
def test_an_absent_card_or_checkpoint_leaves_it_undecided(name: str, code: str) -> None:
    log = Log.of(sample.entries(3))
    del log.files[name]
    verdict = checked(log)
    assert (codes(verdict), verdict.exit_code) == ([code], 2)


def test_a_signed_size_of_any_height_ends_quickly() -> None:
    log = Log.of(sample.entries(1))
    keys = (sample.IDENTITY.sign, sample.EPOCH0.sign, sample.IDENTITY.pub, sample.EPOCH0.pub)
    from notevault.auditlog import checkpoint

    log.files["checkpoint"] = checkpoint.make(ORIGIN, 2**53 - 1, bytes(32), 0, *keys)
    verdict = checked(log)
    assert (codes(verdict), verdict.exit_code) == (["TRUNCATED"], 1)


def test_a_file_that_cannot_be_read_is_no_proof_of_tampering() -> None:
    log = Log.of(sample.entries(600))

    def read(name: str) -> bytes | Fault | None:
        return Fault("UNREADABLE", "input/output error") if name == "entries/001" else log.read(name)

    verdict = check_log(read, ORIGIN, vik=VIK.pub, verify=sample.verify)
    assert verdict.exit_code == 2
    assert "UNREADABLE" in codes(verdict)


def test_a_writer_at_work_beside_the_check_is_not_taken_for_a_forger(thousand: list[bytes]) -> None:
    """The log grows, and `open` becomes a bundle, between the reading of the checkpoint and that of the entries."""
    old, new = Log.of(thousand[:300]), Log.of(thousand[:600])
    reads: list[str] = []

    def read(name: str) -> bytes | None:
        reads.append(name)
        return (old if len(reads) <= 3 else new).read(name)

    verdict = check_log(read, ORIGIN, vik=VIK.pub, verify=sample.verify)
    assert (verdict.exit_code, verdict.size, verdict.findings) == (0, 600, [])
    assert reads.count("checkpoint") == 3


def test_a_log_that_never_rests_is_not_decided(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:10])
    sizes = itertools.cycle([10, 9, 8, 10])

    def read(name: str) -> bytes | None:
        return log.checkpoint(next(sizes)) if name == "checkpoint" else None

    verdict = check_log(read, ORIGIN, vik=VIK.pub, verify=sample.verify)
    assert (codes(verdict), verdict.exit_code) == (["MOVING"], 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 599), st.integers(1, 60), st.booleans())
def test_the_place_named_holds_every_rewritten_entry(start: int, length: int, cache: bool) -> None:
    stop = min(start + length, 600)
    log = Log.of(SIX_HUNDRED)
    log.lay(sample.rechain(SIX_HUNDRED, start, stop, _later))
    if not cache:
        del log.files["hashes"]
    places = [(f.first, f.last) for f in checked(log).findings if f.code == "REWRITTEN"]
    for i in range(start, stop):
        assert any(first <= i <= last for first, last in places)
    if cache and stop <= 512:  # the cache gives the signed root only with a sound `open`
        assert places[-1][1] == stop - 1
        assert places[0][0] == start // BUNDLE * BUNDLE


@pytest.mark.parametrize("name", ["hashes", "card", "seals/00000000"])
def test_an_unreadable_side_file_does_not_hide_tampering(name: str, thousand: list[bytes]) -> None:
    log = Log.of(thousand[:300])
    log.lay(sample.rechain(thousand[:300], 20, 300, _later))

    def read(path: str) -> bytes | Fault | None:
        return Fault("UNREADABLE", "input/output error") if path == name else log.read(path)

    verdict = check_log(read, ORIGIN, CARD, verify=sample.verify)
    assert verdict.exit_code == 1
    assert "REWRITTEN" in codes(verdict)


def test_progress_reaches_the_signed_size() -> None:
    seen: list[tuple[int, int]] = []
    checked(Log.of(sample.entries(600)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(256, 600), (512, 600), (600, 600)]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["card", "checkpoint", "open", "hashes", "entries/000"]), st.binary(max_size=300))
)
def test_random_files_never_raise_and_never_pass(files: dict[str, bytes]) -> None:
    verdict = check_log(files.get, ORIGIN, vik=VIK.pub, verify=sample.verify)
    assert verdict.exit_code in (1, 2)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.binary(max_size=300))
def test_a_random_file_in_a_sound_log_never_raises(name: str, data: bytes) -> None:
    log = Log.of(sample.entries(2))
    log.files[name] = data
    assert checked(log).exit_code in ((0,) if name == "hashes" else (1, 2))


def test_a_log_on_disk_reads_as_in_memory(tmp_path: Path) -> None:
    folder = Log.of(sample.entries(300)).store(tmp_path)
    verdict = check_log(folder_reader(folder), ORIGIN, CARD, verify=sample.verify)
    assert (verdict.exit_code, verdict.findings) == (0, [])


@pytest.mark.parametrize("name", ["open", "entries/000", "entries"])
def test_links_in_a_logs_folder_are_not_followed(tmp_path: Path, name: str) -> None:
    folder = Log.of(sample.entries(300)).store(tmp_path / "log")
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    verdict = check_log(folder_reader(folder), ORIGIN, CARD, verify=sample.verify)
    assert (verdict.exit_code, "UNREADABLE" in codes(verdict)) == (2, True)


def test_a_pipe_in_a_logs_folder_does_not_stop_the_check(tmp_path: Path) -> None:
    folder = Log.of(sample.entries(3)).store(tmp_path)
    (folder / "open").unlink()
    os.mkfifo(folder / "open")
    assert check_log(folder_reader(folder), ORIGIN, CARD, verify=sample.verify).exit_code == 2


def test_a_signed_state_that_cannot_be_read_is_not_a_log_that_moves(thousand: list[bytes]) -> None:
    log = Log.of(thousand[:10])

    def read(name: str) -> bytes | Fault | None:
        return Fault("UNREADABLE", "not a regular file", name) if name == "checkpoint" else log.read(name)

    verdict = check_log(read, ORIGIN, vik=VIK.pub, verify=sample.verify)
    assert "MOVING" not in codes(verdict)
    assert verdict.exit_code == 2
