"""What came of a job on backups, in lines that a therapist reads: the place, what was found there, whose file it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from notevault.shell.backup_bar import here
from notevault.shell.paint import count

if TYPE_CHECKING:
    from notevault.backup.model import CheckReport, PlaceFile, Problem
    from notevault.shell.desk import Desk

NAMED = 20
"""Problems of one place that are spelled out."""
_SEALED = re.compile(r"(?:blobs/[0-9a-f]{2}/)?([0-9a-f]{64})")
_HOW = {"quick": "names and sizes compared", "sampled": "a part of it read"}


def state_lines(desk: Desk, place: PlaceFile, detail: str) -> list[str]:
    """Why it did not go through, and what to do: as `status` says it."""
    for one in desk.backup.now().places:
        if one.place.id == place.id:
            said = detail or one.detail
            return [f"{place.name}: {here(said)}", *([f"  {here(one.next_step)}"] if one.next_step else [])]
    return [f"{place.name}: {here(detail)}"]


def checked_lines(desk: Desk, place: PlaceFile, report: CheckReport) -> list[str]:
    from notevault.backup.model import SAFE, WAITING

    if report.verdict not in (SAFE, WAITING):
        found = state_lines(desk, place, "")
        if report.missing or report.changed:
            found.append(f"  {report.missing:,} missing, {report.changed:,} changed.")
        return [*found, *problem_lines(desk, report.problems)]
    read = _HOW.get(report.how, "every byte read")
    line = f"{place.name}: nothing is missing or changed; {count(report.files, 'sealed file')}, {read}."
    offline = f"  {count(report.offline, 'file')} kept online alone: not read." if report.offline else ""
    return [line, *([offline] if offline else []), *problem_lines(desk, report.problems)]


def problem_lines(desk: Desk, problems: Sequence[Problem]) -> list[str]:
    """Each with the file that it is about, and the client whose record that is where this vault knows it."""
    from notevault.backup.words.plain import problem_words

    said = problems[:NAMED]
    codes = _codes(desk, said)
    lines = []
    for problem in said:
        words, digest = problem_words(problem), _digest(problem)
        if digest in codes and digest:
            what = f"sealed file {digest[:12]}"
            words = words.replace(what, f"{what} of {codes[digest]}", 1)
        lines += [f"  {words}"] if words else []
    return [*lines, *([f"  {len(problems) - NAMED:,} more of the kind."] if problems[NAMED:] else [])]


def _digest(problem: Problem) -> str:
    found = _SEALED.fullmatch(problem.path)
    return found[1] if found else ""


def _codes(desk: Desk, problems: Sequence[Problem]) -> Mapping[str, str]:
    """Digest -> the client's code; empty once the vault is closed. Codes alone: home has shown more than that."""
    wanted = {digest for problem in problems if (digest := _digest(problem))}
    if not wanted:
        return {}
    with desk.gate:
        if not desk.open:
            return {}
        codes = {client.id: client.code for client in desk.notebook.clients()}
        writes = desk.session.catalogue.writes()
        return {
            write.digest: codes[write.client] for write in writes if write.digest in wanted and write.client in codes
        }
