"""Every way to tamper with a real vault's log, done to it one by one, and what the two verifiers say of each.

python -m tests.audit_day.tampering [FOLDER]        prints the table; FOLDER keeps everything, else nothing is kept
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.audit_day import cases_entries, cases_files, cases_thief
from tests.audit_day.bare import SLOW_S, Bare, Said, go_program, go_says
from tests.audit_day.cases import ALL, ANCHORS, CARD, LATE, SPAN, STATE, Case, Told
from tests.audit_day.day import a_day, evening
from tests.audit_day.scene import Copy, Scene

__all__ = ["ALL", "Row", "cases_entries", "cases_files", "cases_thief", "do", "table"]

HELD = {"": "nothing", STATE: "his state of noon", ANCHORS: "a backup place of the day", LATE: "one of the very end"}
WEIGHTS = {0: "note", 1: "tampered", 2: "undecided"}


@dataclass
class Row:
    """One case, done. `faults`: in words, what the verifiers said otherwise than they must; empty when all is right."""

    case: Case
    told: Told
    said: Said
    go: tuple[int, list[str]] | None
    faults: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The finding that was due, else the first; without the log's name."""
        found = [each for each in self.said.findings if _is_due(each, self.told)] or self.said.findings
        return found[0]["sentence"].split(" (log ")[0] if found else self.said.err.split(": ")[-1].split("\n")[0]

    @property
    def go_words(self) -> str:
        if self.go is None:
            return "-"
        code, lines = self.go
        if code == 0:
            return "accepts it"
        due = [line for line in lines if self.told.go and self.told.go in line] or lines
        return due[0]


def do(case: Case, scene: Scene, go: Path | None) -> Row:
    """Tamper with a fresh copy, ask both, compare. The copy is removed again."""
    copy = scene.copy("now")
    told = case.do(copy)
    held = list(_held(case, scene, copy))
    said = scene.bare.check(copy.folder, *held)
    answer = go_says(go, *_for_go(case, scene), copy.log) if go is not None and told.go is not None else None
    row = Row(case, told, said, answer)
    row.faults = [*_wrong(told, said), *_wrong_go(told, answer)]
    shutil.rmtree(copy.folder)
    return row


def _held(case: Case, scene: Scene, copy: Copy) -> Iterator[object]:
    if CARD in case.held:
        yield from ("--card", scene.card)
    if "other card" in case.held:
        (card,) = scene.other.vault.glob("audit/*/card")
        yield from ("--card", card)
    if "wrong fingerprint" in case.held:
        shown = scene.bare.run("card", copy.folder).out
        digits = next(line for line in shown.splitlines() if len(line.split()) >= 8 and _is_hex(line.split()[-8:]))
        groups = digits.split()[-8:]
        yield from ("--card", " ".join([*groups[:-1], f"{int(groups[-1], 16) ^ 1:04x}"]))
    if STATE in case.held:
        state = copy.folder.with_name("state")
        shutil.copy(scene.state, state)
        yield from ("--state", state)
    for name, folder in ((ANCHORS, scene.anchors), (LATE, scene.late)):
        if name in case.held:
            yield from ("--anchors", folder)


def _is_hex(words: list[str]) -> bool:
    return all(len(word) == 4 and set(word) <= set("0123456789abcdef") for word in words)


def _for_go(case: Case, scene: Scene) -> Iterator[object]:
    yield from ("-card", scene.card)
    for name, folder in ((ANCHORS, scene.anchors), (LATE, scene.late)):
        if name in case.held:
            yield from ("-anchors", folder / scene.loot.origin)
            return


def _is_due(finding: dict[str, object], told: Told) -> bool:
    return finding["code"] == told.code and str(finding["sentence"]).startswith(told.words)


def _wrong(told: Told, said: Said) -> Iterator[str]:
    if said.code != told.exit:
        yield f"exit {said.code}, not {told.exit}"
    if told.exit not in WEIGHTS:
        if told.words not in said.err:
            yield f"it does not say {told.words!r}"
        return
    if said.err:
        yield f"it complains: {said.err.strip()}"
    if said.seconds > SLOW_S:
        yield f"it took {said.seconds:.0f} s"
    due = [each for each in said.findings if _is_due(each, told)]
    if not due:
        yield f"no finding {told.code} {told.words!r}"
        return
    if WEIGHTS[told.exit] not in {each["weight"] for each in due}:
        yield f"its weight is {due[0]['weight']}"
    if not any(_is_place(each["first"], each["last"], told) for each in due):
        yield f"its place is {due[0]['first']}-{due[0]['last']}, not {told.first}-{told.last}"
    accused = {each["code"] for each in said.findings if each["weight"] == "tampered"}
    if accused - {told.code, *told.also} or (accused and told.exit != 1):
        yield f"a false accusation: {', '.join(sorted(accused - {told.code, *told.also}) or accused)}"


def _is_place(first: int, last: int, told: Told) -> bool:
    if not told.near:
        return (first, last) == (told.first, told.last)
    return 0 <= first <= told.first and told.last <= last and last - first < SPAN


def _wrong_go(told: Told, answer: tuple[int, list[str]] | None) -> Iterator[str]:
    if answer is None:
        return
    code, lines = answer
    if code != bool(told.go):
        yield f"Go's exit is {code}: {'; '.join(lines[:3])}"
    elif told.go and not any(told.go in line for line in lines):
        yield f"Go says nothing of {told.go!r}: {'; '.join(lines[:3])}"


def table(rows: list[Row]) -> str:
    """For people, in Markdown."""
    said = ["| tampering | held | nvaudit says | exit | Go says |", "|---|---|---|---|---|"]
    for row in rows:
        held = ", ".join(HELD.get(name, name) for name in row.case.held)
        name = f"{row.case.group}: {row.case.name}"
        said.append(f"| {name} | {held} | {row.sentence} | {row.said.code} | {_short(row.go_words)} |")
    return "\n".join(said)


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."


def main(folder: Path) -> int:
    day = a_day(folder)
    evening(day)
    bare = Bare.build(folder / "bare")
    scene, go = Scene.make(day, bare, folder / "scene"), go_program(folder / "go")
    rows = [do(case, scene, go) for case in ALL]
    print(table(rows))
    for row in rows:
        for fault in row.faults:
            print(f"NOT AS IT MUST BE: {row.case.group}: {row.case.name}: {fault}", file=sys.stderr)
    return 1 if any(row.faults for row in rows) else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).mkdir(parents=True)
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(Path(temporary)))
