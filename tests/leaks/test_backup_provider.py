"""Whoever holds a backup place: what he finds in it, and what he cannot find out. He has all of it, and time.

What he does see (SECURITY.md, "What a provider sees") is pinned down here too: so much, and no more.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.backup_day.practice import Practice
from tests.cli.homes import PASSPHRASE, ROOT, home_with_vault
from tests.leaks.canary import Needle, nonsense
from tests.leaks.scan_files import Scanner
from tests.leaks.user import _KEYS, needles_of

pytestmark = pytest.mark.slow
DICE = random.SystemRandom()
SEALED = 88  # bytes that sealing adds: header 72, tag 16 (FORMAT.md section 5)
_HEX16, _HEX32 = "[0-9a-f]{32}", "[0-9a-f]{64}"
NAMES = re.compile(
    rf"READ-ME\.txt|{_HEX16}(/(VAULT\.json|blobs/[0-9a-f]{{2}}/{_HEX32}|headers/{_HEX16}/[0-9]{{8}}-{_HEX32}"
    rf"|audit/{_HEX16}/(card|entries/(x[0-9]{{3}}/)*[0-9]{{3}}|parts/[0-9]+-[0-9]+|seals/[0-9]{{8}})"
    rf"|anchors/{_HEX16}/[0-9]+-{_HEX32}))"
)
PLAIN = {"a", "b", "e", "ev", "i", "m", "o", "pu", "t", "w", "z", "g", "v"}  # readable by anybody, and the same often
Fields = dict[str, Any]


@dataclass
class Seen:
    """What the provider has: the folder, and the log's entries, which are not encrypted as a whole."""

    place: Path

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.place.rglob("*") if path.is_file())

    @property
    def blobs(self) -> list[bytes]:
        return [path.read_bytes() for path in self.files if path.parent.parent.name == "blobs"]

    @property
    def sizes(self) -> Counter[int]:
        return Counter(map(len, self.blobs))

    def entries(self) -> list[Fields]:
        """By hand: two bytes of length, the entry (FORMAT.md section 6.4); parts may overlap."""
        found: dict[int, Fields] = {}
        for path in self.files:
            if path.parent.name == "parts" or "entries" in path.parts:
                data, at = path.read_bytes(), 0
                while at < len(data):
                    end = at + 2 + int.from_bytes(data[at : at + 2])
                    entry = json.loads(data[at + 2 : end])
                    found[entry["i"]] = entry
                    at = end
        return [found[i] for i in range(len(found))]

    def shape(self) -> Counter[tuple[object, ...]]:
        """Each entry without its numbers, times and random bytes."""
        return Counter(
            (
                *(entry.get(name) for name in ("ev", "a", "pu", "o", "z")), tuple(sorted(entry)),
                tuple(sorted(entry.get("k", {}))),
                tuple(sorted((name, len(text)) for name, text in entry.get("x", {}).items())),
            )
            for entry in self.entries()
        )  # fmt: skip


def practice_with(folder: Path, rows: list[tuple[str, str]]) -> Practice:
    """A vault whose notes (name of the client, text) came by one import, backed up to one place."""
    folder.mkdir()
    practice = Practice(home_with_vault(folder / "home"), folder)
    csv = practice.home.file("notes.csv", "\n".join(["name,text", *(f'"{name}","{text}"' for name, text in rows)]))
    practice.home.run("import", csv, "--yes", "--no-input", open_it=True)
    Path(csv).unlink()
    practice.add("place")
    practice.backup("run")
    return practice


@dataclass
class Held:
    practice: Practice
    seen: Seen
    phrases: list[str]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    """A practice with names and texts that stand nowhere else, a day of work, and its place at the provider."""

    def word() -> str:
        return nonsense(DICE)

    names = [f"{word()[:12].title()} {word()[:12].title()}" for _ in range(3)] + [f"Zoë {word()[:12].title()}"]
    rows = [(name, f"Today {word()} about {word()}") for name in names for _ in range(3)]
    practice = practice_with(tmp_path_factory.mktemp("provider") / "practice", rows)
    piped, sought, title = f"She {word()} her \u0107{word()}", f"sought{word()}", word()
    home = practice.home
    home.run("note", "add", "--client", "C-001", "--title", title, stdin=piped, open_it=True, code=None)
    first = home.objects("client", "list", "--no-input")[0]
    home.saved("note", "add", "--client", str(first["code"]), "--title", title, stdin=piped)
    home.run("find", "-", stdin=sought, open_it=True, code=None)
    home.run("find", "-", stdin=piped.split()[1], open_it=True)
    for row in home.objects("note", "list", "--no-input")[:3]:
        home.run("note", "show", str(row["id"]), open_it=True)
    home.run(
        "--no-input",
        "passphrase",
        "change",
        "--new-passphrase-file",
        home.file("new", PASSPHRASE + " now\n"),
        open_it=True,
    )
    home.run("note", "list", "--passphrase-file", home.file("wrong", "not this one at all\n"), code=77)
    practice.backup("run")
    practice.backup("verify", "--full")
    practice.backup("run")
    phrases = [*names, *(text for _, text in rows), piped, sought, title, PASSPHRASE]
    return Held(practice, Seen(practice.places["place"]), phrases)


def keys_of(practice: Practice) -> list[Needle]:
    done = subprocess.run(
        [sys.executable, "-c", _KEYS, str(practice.vault)], input=f"{PASSPHRASE} now\n", env=practice.home.env,
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return needles_of({name: bytes.fromhex(key) for name, key in json.loads(done.stdout).items()})


def test_no_name_no_text_no_search_word_and_no_key_stands_anywhere_in_any_encoding(held: Held) -> None:
    needles = keys_of(held.practice)
    assert len(needles) > 20
    scanner = Scanner(held.phrases, needles)
    assert len(held.seen.files) > 20
    hits = scanner.tree(held.seen.place)
    assert hits == [], "\n".join(map(str, hits))


def test_the_scanner_would_have_found_them(held: Held, tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(zlib.compress(held.phrases[5].encode() * 3))
    assert Scanner(held.phrases).tree(tmp_path)


def test_every_name_is_one_of_the_format(held: Held) -> None:
    root = held.seen.place / "notevault"
    names = [path.relative_to(root).as_posix() for path in held.seen.files]
    strange = [name for name in names if not NAMES.fullmatch(name) and "/.stage-" not in name]
    assert strange == []
    assert [path for path in held.seen.place.iterdir() if path != root] == []


def test_what_is_sealed_has_no_pattern(held: Held) -> None:
    """Beyond its first eight bytes nothing is the same from file to file, and nothing can be compressed."""
    blobs = held.seen.blobs
    assert len({blob[:8] for blob in blobs}) == 1
    seen: set[bytes] = set()
    for blob in blobs:
        body = blob[8:]
        assert len(zlib.compress(body, 9)) >= len(body)
        pieces = {body[at : at + 16] for at in range(0, len(body) - 15, 16)}
        assert not pieces & seen
        seen |= pieces


def test_sizes_are_those_of_the_padding_whatever_was_written(tmp_path: Path) -> None:
    """Notes of one word and of three thousand letters look alike."""
    short = practice_with(tmp_path / "short", [("Anna Berg", "ok")] + [("Anna Berg", f"n{n}") for n in range(4)])
    longer = practice_with(
        tmp_path / "longer",
        [("Maximiliana Theodora Wolkenstein", f"{n}" + "Slept. " * (100 + 90 * n)) for n in range(5)],
    )
    one, other = Seen(short.places["place"]), Seen(longer.places["place"])
    assert one.sizes == other.sizes
    assert set(one.sizes) == {4096 + SEALED}
    assert one.shape() == other.shape()


def test_every_size_is_a_step_of_the_padding(held: Held) -> None:
    for size in held.seen.sizes:
        inner = size - SEALED
        assert inner >= 4096
        if inner <= 16_384:
            assert inner & (inner - 1) == 0
        else:  # Padmé: few significant bits
            assert inner % (1 << (inner.bit_length() - 1 - (inner.bit_length() - 1).bit_length())) == 0


def test_one_client_with_many_notes_looks_like_many_clients_with_few(tmp_path: Path) -> None:
    """Thirteen records both times."""
    one = Seen(practice_with(tmp_path / "one", [("Anna Berg", f"Note {n}") for n in range(12)]).places["place"])
    rows = [(f"Person Number{chr(65 + n % 6)}", f"Note {n}") for n in range(7)]
    many = Seen(practice_with(tmp_path / "many", rows).places["place"])
    assert sum(one.sizes.values()) == 13
    assert one.sizes == many.sizes
    assert one.shape() == many.shape()
    for view in (one, many):
        assert len([path for path in view.files if "headers" in path.parts]) >= 1
    assert _headers(one) == _headers(many)


def _headers(seen: Seen) -> list[int]:
    return [path.stat().st_size for path in seen.files if "headers" in path.parts]


def test_nothing_links_two_entries_of_the_log(held: Held) -> None:
    """Tags, sealed parts, MACs and names of files never come twice; what does is in clear."""
    entries = held.seen.entries()
    assert len(entries) > 20
    values: Counter[str] = Counter()
    for entry in entries:
        assert set(entry) <= PLAIN | {"c", "h", "k", "nt", "p", "st", "x"}
        values.update(entry[name] for name in ("c", "h", "nt", "p", "st") if name in entry)
        for text in entry.get("x", {}).values():
            values.update(text[at : at + 24] for at in range(0, len(text) - 23, 24))
    again = {value: times for value, times in values.items() if times > 1}
    assert again == {}


def test_what_can_be_seen_is_what_security_says() -> None:
    said = (ROOT / "SECURITY.md").read_text()
    (_, _, told) = said.partition("## What a provider sees")
    for words in (
        "numbers of the laptops",
        "how many sealed files",
        "padded sizes",
        "when each came",
        "the log itself",
    ):
        assert words in told
