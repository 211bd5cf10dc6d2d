"""Entries cut, taken, moved, changed, put in and doubled by somebody without any key; older copies, and clones."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.audit_day.bare import copy_tree
from tests.audit_day.cases import ANCHORS, CARD, LATE, STATE, Told, case
from tests.audit_day.scene import BUNDLE, Copy, rechained

# -- nothing done


@case("clean", "nothing, at a first visit")
def clean(copy: Copy) -> Told:
    return Told(0, "FIRST_VISIT", "FIRST VISIT", go="")


@case("clean", "nothing, at a later visit with a backup place at hand", CARD, STATE, ANCHORS, LATE)
def clean_later(copy: Copy) -> Told:
    return Told(0, "NOT_SEALED_YET", "NOT SEALED YET: the last ", go="")


# -- truncated


@case("truncated", "the newest file cut in the middle of an entry")
def cut_open(copy: Copy) -> Told:
    path = copy.log / "open"
    path.write_bytes(path.read_bytes()[:-7])
    return Told(
        1,
        "TRUNCATED",
        f"TRUNCATED: signed {copy.size}, found {copy.size - 1}",
        copy.size - 1,
        copy.size - 1,
        go="entries",
    )


@case("truncated", "the last ten entries taken away")
def cut_ten(copy: Copy) -> Told:
    copy.lay(copy.entries[:-10])
    return Told(
        1,
        "TRUNCATED",
        f"TRUNCATED: signed {copy.size}, found {copy.size - 10}",
        copy.size - 10,
        copy.size - 1,
        go="entries",
    )


@case("truncated", "the newest file gone")
def no_open(copy: Copy) -> Told:
    (copy.log / "open").unlink()
    here = copy.size // BUNDLE * BUNDLE
    return Told(1, "TRUNCATED", f"TRUNCATED: signed {copy.size}, found {here}", here, copy.size - 1, go="entries")


@case("truncated", "the last full bundle cut")
def cut_bundle(copy: Copy) -> Told:
    path = sorted((copy.log / "entries").iterdir())[-1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    end = copy.size // BUNDLE * BUNDLE
    return Told(1, "REWRITTEN", "REWRITTEN between entries", end - BUNDLE, end - 1, go="entries")


# -- removed, missing


@case("removed", "one entry out of a full bundle, the others moved up")
def remove_one(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    copy.lay([*copy.entries[:i], *copy.entries[i + 1 :]])
    first, _ = copy.span(copy.epoch_of(i))  # the seal before it holds
    also = ("TRUNCATED",)
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, copy.size - 2, also=also, go="entries")


@case("removed", "one entry out of a full bundle, the file left shorter")
def remove_in_place(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    path = copy.log / "entries/000"
    entry = copy.entries[i]
    path.write_bytes(path.read_bytes().replace(len(entry).to_bytes(2) + entry, b""))
    return Told(1, "REWRITTEN", "REWRITTEN between entries", 0, BUNDLE - 1, go="entries")


@case("removed", "one entry, all later ones numbered and linked anew")
def remove_rechained(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    copy.lay(rechained([*copy.entries[:i], *copy.entries[i + 1 :]], i), hashes=True)
    epoch = copy.epoch_of(i)
    first, last = copy.span(epoch)
    words = f"REWRITTEN between entries {first}-{last - 1}: seal {epoch} is of other entries"
    return Told(1, "REWRITTEN", words, first, last - 1, also=("TRUNCATED",), go="entries")


@case("missing bundles", "the first")
def no_first(copy: Copy) -> Told:
    (copy.log / "entries/000").unlink()
    return Told(1, "MISSING", f"MISSING entries 0-{BUNDLE - 1}", 0, BUNDLE - 1, go="entries")


@case("missing bundles", "the last full one")
def no_last(copy: Copy) -> Told:
    end = copy.size // BUNDLE * BUNDLE
    (copy.log / "entries" / f"{end // BUNDLE - 1:03d}").unlink()
    return Told(1, "MISSING", f"MISSING entries {end - BUNDLE}-{end - 1}", end - BUNDLE, end - 1, go="entries")


@case("missing bundles", "all of them")
def no_bundles(copy: Copy) -> Told:
    shutil.rmtree(copy.log / "entries")
    end = copy.size // BUNDLE * BUNDLE
    return Told(1, "MISSING", f"MISSING entries 0-{end - 1}", 0, end - 1, go="entries")


# -- reordered, edited, inserted, duplicated


@case("reordered", "two neighbours exchanged, in a full bundle")
def swap(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    e = copy.entries
    copy.lay([*e[:i], e[i + 1], e[i], *e[i + 2 :]])
    return Told(1, "REWRITTEN", "REWRITTEN between entries", i, i + 1, near=True, go="calls itself another")


@case("reordered", "two bundles exchanged")
def swap_bundles(copy: Copy) -> Told:
    e = copy.entries
    copy.lay([*e[:BUNDLE], *e[2 * BUNDLE : 3 * BUNDLE], *e[BUNDLE : 2 * BUNDLE], *e[3 * BUNDLE :]])
    return Told(1, "REWRITTEN", "REWRITTEN between entries", BUNDLE, BUNDLE, near=True, go="calls itself another")


@case("edited", "one digit of a time, in a full bundle")
def edit_byte(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    fields = copy.fields(i)
    path, entry = copy.log / "entries/000", copy.entries[i]
    path.write_bytes(
        path.read_bytes().replace(entry, entry.replace(b'"t":%d' % fields["t"], b'"t":%d' % (fields["t"] ^ 1)))
    )
    return Told(1, "REWRITTEN", "REWRITTEN entry", i, i, near=True, go="does not follow")


@case("edited", "one digit of a time, in the newest file")
def edit_open(copy: Copy) -> Told:
    i = copy.size - 3
    fields, path, entry = copy.fields(i), copy.log / "open", copy.entries[i]
    path.write_bytes(
        path.read_bytes().replace(entry, entry.replace(b'"t":%d' % fields["t"], b'"t":%d' % (fields["t"] ^ 1)))
    )
    return Told(1, "REWRITTEN", "REWRITTEN between entries", i, i, near=True, go="does not follow")


@case("edited", "the last entry, which none follows")
def edit_last(copy: Copy) -> Told:
    copy.lay(rechained(copy.entries, copy.size - 1, lambda i, fields: fields.update(t=fields["t"] + 1)))
    return Told(1, "REWRITTEN", "REWRITTEN between entries", copy.size - 1, copy.size - 1, near=True, go="root")


@case("edited", "a whole entry, and every later one linked anew")
def edit_rechained(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    copy.lay(rechained(copy.entries, i, lambda j, fields: fields.update(t=fields["t"] + (j == i))))
    first, _ = copy.span(copy.epoch_of(i))  # from there on every entry is another one
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, copy.size - 1, go="root")


@case("edited", "a whole entry, every later one linked anew, the cache made to fit")
def edit_rechained_hashes(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    copy.lay(rechained(copy.entries, i, lambda j, fields: fields.update(t=fields["t"] + (j == i))), hashes=True)
    first, _ = copy.span(copy.epoch_of(i))
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, copy.size - 1, go="root")


@case("inserted", "an entry of one's own, all later ones numbered and linked anew")
def insert(copy: Copy) -> Told:
    i = copy.which("session.fail")[0]
    copy.lay(rechained([*copy.entries[:i], copy.entries[i - 1], *copy.entries[i:]], i), hashes=True)
    first, _ = copy.span(copy.epoch_of(i))
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, copy.size - 1, go="root")


@case("inserted", "an entry behind the last one, which nobody signed")
def append(copy: Copy) -> Told:
    copy.lay(rechained([*copy.entries, copy.entries[-1]], copy.size))
    return Told(0, "UNCOMMITTED", "", go="")


@case("duplicated", "an entry, in a full bundle")
def duplicate(copy: Copy) -> Told:
    i = copy.which("record.open")[3]
    copy.lay([*copy.entries[:i], copy.entries[i], *copy.entries[i:-1]])
    first, _ = copy.span(copy.epoch_of(i))
    return Told(1, "REWRITTEN", "REWRITTEN between entries", first, copy.size - 1, go="calls itself another")


@case("duplicated", "a bundle, in the place of the next")
def duplicate_bundle(copy: Copy) -> Told:
    shutil.copy(copy.log / "entries/000", copy.log / "entries/001")
    return Told(
        1, "REWRITTEN", "REWRITTEN between entries", BUNDLE, 2 * BUNDLE - 1, near=True, go="calls itself another"
    )


# -- rolled back, forked


def _size(vault: Path) -> int:
    (signed,) = vault.glob("audit/*/checkpoint")
    return int(signed.read_text().split("\n")[1])


def _rolled_back(copy: Copy, moment: str) -> int:
    """The whole folder is the copy of that moment; its size."""
    copy_tree(copy.scene.day.moments[moment].vault, copy.folder)
    return _size(copy.folder)


@case("rolled back", "the folder as it was in the morning, at a later visit", CARD, STATE)
def morning_state(copy: Copy) -> Told:
    now, seen = _rolled_back(copy, "early"), _size(copy.scene.day.moments["noon"].vault)
    return Told(1, "ROLLED_BACK", f"ROLLED BACK: your state file saw {seen} entries on ", now, seen - 1, go="")


@case("rolled back", "the folder as it was at noon, with a backup place at hand", CARD, ANCHORS)
def noon_anchors(copy: Copy) -> Told:
    now = _rolled_back(copy, "noon")
    return Told(
        1,
        "ROLLED_BACK",
        f"ROLLED BACK: a backup place saw {copy.scene.day.size} entries",
        now,
        copy.scene.day.size - 1,
        go="the log has",
    )


@case("rolled back", "the folder as it was in the morning, at a first visit: cannot show, and is said")
def morning_first(copy: Copy) -> Told:
    _rolled_back(copy, "early")
    return Told(0, "FIRST_VISIT", "FIRST VISIT: nothing seen earlier was given", go="")


@case("rolled back", "the log as it was in the morning, everything else as it is now")
def morning_log(copy: Copy) -> Told:
    early = copy.scene.day.moments["early"].vault
    copy_tree(early / "audit", copy.folder / "audit")
    return Told(2, "HEADER_AHEAD", "Key file 2 knows ", go="")


@case("rolled back", "entries and signed state of the morning, the seals forgotten")
def seals_forgotten(copy: Copy) -> Told:
    early = copy.scene.day.moments["early"].vault / "audit" / copy.scene.loot.origin
    now = _size(copy.scene.day.moments["early"].vault)
    shutil.rmtree(copy.log / "entries")
    shutil.copy(early / "open", copy.log / "open")
    shutil.copy(early / "checkpoint", copy.log / "checkpoint")
    epoch = sum(close < now for close in copy.closes)
    size = copy.closes[epoch] + 1
    return Told(
        1,
        "ROLLED_BACK",
        f"ROLLED BACK: seal {epoch} is of {size} entries, now {now} are signed",
        now,
        size - 1,
        go="no entry closes that epoch",
    )


def _old_checkpoint(copy: Copy) -> int:
    """That of noon; its size. Entries, seals, notes and key files are those of now."""
    noon = copy.scene.day.moments["noon"].vault / "audit" / copy.scene.loot.origin
    shutil.copy(noon / "checkpoint", copy.log / "checkpoint")
    return _size(copy.folder)


@case("rolled back", "only the signed state is an older one: a later seal tells")
def old_checkpoint(copy: Copy) -> Told:
    now = _old_checkpoint(copy)
    epoch = sum(close < now for close in copy.closes)
    size = copy.closes[epoch] + 1
    words = f"ROLLED BACK: seal {epoch} is of {size} entries, now {now} are signed"
    return Told(1, "ROLLED_BACK", words, now, size - 1, go="beyond")


@case("rolled back", "the same, the later seals removed: no proof, a copy made while it was written to is so too")
def older_state(copy: Copy) -> Told:
    now = _old_checkpoint(copy)
    for path in sorted((copy.log / "seals").iterdir())[sum(close < now for close in copy.closes) :]:
        path.unlink()
    there = copy.size // BUNDLE * BUNDLE - now
    return Told(2, "OLDER_STATE", f"OLDER STATE: {now} entries are signed, and {there} newer entries", go="beyond")


@case("rolled back", "the same, and the newer entries do not follow on")
def older_state_broken(copy: Copy) -> Told:
    older_state(copy)
    now, e = _size(copy.folder), copy.entries
    i = (now + BUNDLE) // 2
    copy.lay([*e[:i], e[i + 1], e[i], *e[i + 2 :]])
    there = copy.size // BUNDLE * BUNDLE
    words = f"ROLLED BACK: signed {now}, but the log once held {there} entries or more"
    return Told(1, "ROLLED_BACK", words, go="beyond")


@case(
    "forked",
    "a clone of the laptop, copied at noon and worked on, with a backup place of the other",
    CARD,
    STATE,
    ANCHORS,
)
def clone(copy: Copy) -> Told:
    copy_tree(copy.scene.clone.vault, copy.folder)
    noon, now = _size(copy.scene.day.moments["noon"].vault), _size(copy.folder)
    seen = next(size for size in _anchored(copy) if size > noon)
    assert seen <= now, "the clone got as far as the next state that was seen"
    return Told(
        1,
        "FORKED",
        f"FORKED: the first {seen} entries are not what a backup place saw",
        noon,
        seen - 1,
        also=("ROLLED_BACK",),
        go="anchor",
    )


@case("forked", "the same clone, seen by itself at a first visit: a log like any other")
def clone_first(copy: Copy) -> Told:
    copy_tree(copy.scene.clone.vault, copy.folder)
    return Told(0, "FIRST_VISIT", "FIRST VISIT", go="")


def _anchored(copy: Copy) -> list[int]:
    return sorted(int(path.name.split("-")[0]) for path in (copy.scene.anchors / copy.scene.loot.origin).iterdir())
