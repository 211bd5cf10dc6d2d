"""How many findings there are, those too that are not listed: a check lists so many of each kind, then says MORE."""

from __future__ import annotations

import re

from .outcome import VaultVerdict
from .verdict import Finding, Weight

_CODE = re.compile(r"\(([A-Z_]+)\)")  # in a finding MORE: of which there are more


def by_weight(verdict: VaultVerdict) -> dict[str, int]:
    """Weight -> findings. What a MORE stands for is told by the tallies of key files and notes' files and by the
    findings of the logs themselves; one that they do not explain counts as one.
    """
    found = {weight.value: 0 for weight in Weight}
    for finding in verdict.findings:
        found[finding.weight.value] += max(1, _hidden(verdict, finding))
    return found


def unexplained(verdict: VaultVerdict) -> list[Finding]:
    """The findings, without each MORE whose number is known."""
    return [one for one in verdict.findings if not _hidden(verdict, one)]


def _hidden(verdict: VaultVerdict, more: Finding) -> int:
    """For how many findings a MORE stands; 0 for another finding, or where nothing tells."""
    named = _CODE.search(more.sentence) if more.code == "MORE" else None
    same = [one for one in verdict.findings if one.code == "MORE" and named and f"({named[1]})" in one.sentence]
    if named is None or same[0] is not more:  # one for each weight: the tallies do not tell them apart
        return 0
    code, blobs, headers = named[1], verdict.blobs, verdict.headers
    tally = {
        "BLOB_CHANGED": blobs.changed,
        "BLOB_MISSING": blobs.missing,
        "UNLOGGED_BLOB": blobs.unlogged,
        "LINGERING": blobs.lingering,
        "HEADER_CHANGED": headers.changed,
    }
    listed = sum(one.code == code for one in verdict.findings)
    of_logs = sum(one.code == code for log in verdict.logs for one in log.verdict.findings)
    return max(0, max(tally.get(code, 0), of_logs) - listed)
