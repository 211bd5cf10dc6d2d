"""Seals, cards, key files, notes and whole logs: taken away, changed, exchanged, put there, or another vault's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.audit_day.bare import copy_tree
from tests.audit_day.cases import CARD, STATE, Told, case
from tests.audit_day.compare import raw_entries
from tests.audit_day.scene import BUNDLE, Copy, flip


def _others_log(copy: Copy) -> Path:
    (folder,) = (copy.scene.other.vault / "audit").iterdir()
    return folder


# -- seals


@case("unsealed", "a seal in the middle removed")
def one_seal(copy: Copy) -> Told:
    copy.seal(5).unlink()
    at = copy.closes[5]
    return Told(
        2, "NOT_SEALED", f"NOT SEALED: epoch 5, which entry {at} closes", at, at, go="seal 00000005: it is missing"
    )


@case("unsealed", "all seals removed")
def no_seals(copy: Copy) -> Told:
    shutil.rmtree(copy.log / "seals")
    at = copy.closes[0]
    return Told(
        2, "NOT_SEALED", f"NOT SEALED: epoch 0, which entry {at} closes", at, at, go="seal 00000000: it is missing"
    )


@case("seals", "one bit changed")
def seal_changed(copy: Copy) -> Told:
    flip(copy.seal(5), -20)
    return Told(1, "FORGED", "FORGED seal 5: ", copy.closes[5], copy.closes[5], go="seal 00000005")


@case("seals", "two exchanged")
def seals_swapped(copy: Copy) -> Told:
    a, b = copy.seal(5).read_bytes(), copy.seal(6).read_bytes()
    copy.seal(5).write_bytes(b)
    copy.seal(6).write_bytes(a)
    return Told(1, "FORGED", "FORGED seal 5: ", copy.closes[5], copy.closes[5], go="seal 00000005")


# -- cards


@case("wrong card", "none at all", "")
def no_card(copy: Copy) -> Told:
    return Told(2, "UNPINNED", "Nothing known beforehand says whose log this is", go="")


@case("wrong card", "that of another vault", "other card")
def other_card(copy: Copy) -> Told:
    return Told(2, "WRONG_CARD", "WRONG CARD: nothing here is of the vault that you know", go=None)


@case("wrong card", "a fingerprint with one digit changed", "wrong fingerprint")
def other_fingerprint(copy: Copy) -> Told:
    return Told(2, "WRONG_CARD", "WRONG CARD: no card here has the fingerprint", go=None)


@case("wrong card", "the folder's own card removed; the auditor holds it")
def card_removed(copy: Copy) -> Told:
    (copy.log / "card").unlink()
    return Told(0, "NO_CARD", "The log's own card is not with it", go="")


# -- files of another vault


@case("another vault's", "card")
def others_card(copy: Copy) -> Told:
    shutil.copy(_others_log(copy) / "card", copy.log / "card")
    return Told(1, "FORGED", "FORGED card: the log's card is not the one you hold", go=None)


@case("another vault's", "signed state")
def others_checkpoint(copy: Copy) -> Told:
    shutil.copy(_others_log(copy) / "checkpoint", copy.log / "checkpoint")
    return Told(1, "FORGED", "FORGED checkpoint: it is of another log", go="checkpoint")


@case("another vault's", "full bundle")
def others_bundle(copy: Copy) -> Told:
    shutil.copy(_others_log(copy) / "entries/000", copy.log / "entries/000")
    return Told(1, "REWRITTEN", "REWRITTEN between entries", 0, BUNDLE - 1, near=True, go="root")


@case("another vault's", "newest entries")
def others_open(copy: Copy) -> Told:
    shutil.copy(_others_log(copy) / "open", copy.log / "open")
    other = len(raw_entries(_others_log(copy))) % BUNDLE
    first = copy.size // BUNDLE * BUNDLE
    here = copy.size // BUNDLE * BUNDLE
    first = max(close for close in copy.closes if close < here) + 1  # so far the seals vouch for it
    last = here + other - 1
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, last, also=("TRUNCATED",), go="entries")


@case("another vault's", "seal")
def others_seal(copy: Copy) -> Told:
    shutil.copy(_others_log(copy) / "seals/00000000", copy.seal(5))
    return Told(1, "FORGED", "FORGED seal 5: it is of another log", copy.closes[5], copy.closes[5], go="seal 00000005")


@case("another vault's", "note's file under the name of one of ours")
def others_blob(copy: Copy) -> Told:
    i = copy.which("record.write")[4]
    path = copy.blob_of(i)
    shutil.copy(next((copy.scene.other.vault / "blobs").glob("*/*")), path)
    return Told(1, "BLOB_CHANGED", f"BLOB CHANGED: blobs/{path.parent.name}/{path.name}, of entry {i}", i, i)


@case("another vault's", "note's file under its own name")
def others_blob_added(copy: Copy) -> Told:
    path = next((copy.scene.other.vault / "blobs").glob("*/*"))
    target = copy.folder / "blobs" / path.parent.name / path.name
    target.parent.mkdir(exist_ok=True)
    shutil.copy(path, target)
    return Told(0, "UNLOGGED_BLOB", f"UNLOGGED BLOB: blobs/{path.parent.name}/{path.name} is in no log")


@case("another vault's", "key file under the name of our newest")
def others_header(copy: Copy) -> Told:
    shutil.copy(next((copy.scene.other.vault / "headers").glob("*/*")), copy.headers()[-1])
    i = copy.which("header.write")[-1]
    return Told(1, "HEADER_CHANGED", f"CHANGED: key file {len(copy.headers())}, which entry {i} names", i, i)


@case("another vault's", "key file under its own name")
def others_header_added(copy: Copy) -> Told:
    path = next((copy.scene.other.vault / "headers").glob("*/*"))
    shutil.copy(path, copy.headers()[0].parent / path.name)
    return Told(0, "HEADER_UNNAMED", "1 key file is named by no log")


@case("another vault's", "whole log, beside ours")
def others_log(copy: Copy) -> Told:
    source = _others_log(copy)
    shutil.copytree(source, copy.folder / "audit" / source.name)
    return Told(
        2, "UNLISTED", f"UNLISTED origin: the log {source.name[:8]} is not one of this vault; it counts nowhere", go=""
    )


@case("another vault's", "whole folder")
def others_folder(copy: Copy) -> Told:
    copy_tree(copy.scene.other.vault, copy.folder)
    return Told(2, "WRONG_CARD", "WRONG CARD: nothing here is of the vault that you know", go=None)


@case("another vault's", "whole folder, at a later visit", CARD, STATE)
def others_folder_state(copy: Copy) -> Told:
    copy_tree(copy.scene.other.vault, copy.folder)
    return Told(2, "WRONG_CARD", "WRONG CARD: nothing here is of the vault that you know", go=None)


# -- notes' files


@case("notes", "one bit changed")
def blob_changed(copy: Copy) -> Told:
    i = copy.which("record.sign")[2]
    path = copy.blob_of(i)
    flip(path, 100)
    return Told(1, "BLOB_CHANGED", f"BLOB CHANGED: blobs/{path.parent.name}/{path.name}, of entry {i}", i, i)


@case("notes", "emptied")
def blob_emptied(copy: Copy) -> Told:
    i = copy.which("record.sign")[2]
    copy.blob_of(i).write_bytes(b"")
    return Told(1, "BLOB_CHANGED", "BLOB CHANGED: ", i, i)


@case("notes", "two exchanged")
def blobs_swapped(copy: Copy) -> Told:
    i, j = copy.which("record.write")[4:6]
    a, b = copy.blob_of(i).read_bytes(), copy.blob_of(j).read_bytes()
    copy.blob_of(i).write_bytes(b)
    copy.blob_of(j).write_bytes(a)
    return Told(1, "BLOB_CHANGED", "BLOB CHANGED: ", i, i)


@case("notes", "one removed")
def blob_removed(copy: Copy) -> Told:
    i = copy.which("record.sign")[2]
    path = copy.blob_of(i)
    path.unlink()
    return Told(1, "BLOB_MISSING", f"BLOB MISSING: blobs/{path.parent.name}/{path.name}, which entry {i} wrote", i, i)


@case("notes", "one planted")
def blob_planted(copy: Copy) -> Told:
    target = copy.folder / "blobs/ab" / ("ab" + "0" * 62)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"planted")
    return Told(0, "UNLOGGED_BLOB", f"UNLOGGED BLOB: blobs/ab/{target.name} is in no log")


@case("notes", "one planted, and nobody vouches for the log", "")
def blob_planted_unpinned(copy: Copy) -> Told:
    told = blob_planted(copy)
    return Told(2, told.code, told.words)


@case("notes", "the whole folder gone")
def no_blobs(copy: Copy) -> Told:
    shutil.rmtree(copy.folder / "blobs")
    return Told(2, "NOTES_NOT_CHECKED", "NOTES NOT CHECKED")


# -- key files


@case("key files", "one bit of the newest changed")
def header_changed(copy: Copy) -> Told:
    flip(copy.headers()[-1], 400)
    i = copy.which("header.write")[-1]
    return Told(1, "HEADER_CHANGED", f"CHANGED: key file {len(copy.headers())}, which entry {i} names", i, i)


@case("key files", "the newest removed")
def header_removed(copy: Copy) -> Told:
    number = len(copy.headers())
    copy.headers()[-1].unlink()
    i = copy.which("header.write")[-1]
    return Told(1, "HEADER_MISSING", f"MISSING key file {number}, which entry {i} names", i, i)


@case("key files", "one bit of the first, long replaced, changed")
def old_header_changed(copy: Copy) -> Told:
    flip(copy.headers()[0], 400)
    return Told(1, "HEADER_CHANGED", "CHANGED: key file 1, which entry 0 names", 0, 0)


@case("key files", "the first, long replaced, removed: allowed, and said")
def old_header_removed(copy: Copy) -> Told:
    copy.headers()[0].unlink()
    return Told(0, "HEADER_RETIRED", "1 older key file is gone")


@case("key files", "all gone")
def no_headers(copy: Copy) -> Told:
    shutil.rmtree(copy.folder / "headers")
    return Told(2, "NO_HEADER", "KEY FILES NOT CHECKED")


# -- logs


@case("logs", "a log of nobody's planted")
def planted_log(copy: Copy) -> Told:
    origin = "5" * 32
    copy_tree(copy.log, copy.folder / "audit" / origin)
    return Told(2, "UNLISTED", "UNLISTED origin: the log 55555555 is not one of this vault; it counts nowhere", go="")


@case("logs", "the log gone, at a later visit", CARD, STATE)
def no_log(copy: Copy) -> Told:
    shutil.rmtree(copy.log)
    return Told(66, "", "there is no log in it")


@case("logs", "no signed state")
def no_checkpoint(copy: Copy) -> Told:
    (copy.log / "checkpoint").unlink()
    return Told(2, "NO_CHECKPOINT", "The log has no signed state", go="checkpoint")


@case("logs", "the signed state emptied")
def empty_checkpoint(copy: Copy) -> Told:
    (copy.log / "checkpoint").write_bytes(b"")
    return Told(1, "FORGED", "FORGED checkpoint", go="checkpoint")


@case("logs", "a link in place of the newest entries")
def linked(copy: Copy) -> Told:
    moved = copy.folder.with_name("elsewhere")
    shutil.move(copy.log / "open", moved)
    (copy.log / "open").symlink_to(moved)
    return Told(2, "UNREADABLE", "open cannot be read")


@case("logs", "the newest entries grown to 10 GB of nothing")
def sparse(copy: Copy) -> Told:
    os.truncate(copy.log / "open", 10 << 30)
    return Told(0, "UNCOMMITTED", "")
