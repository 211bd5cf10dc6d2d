"""The log at the prompt, in words: the last days, one client, and the monthly review.

audit             the last 7 days, the newest last
audit 30          the last 30 days
audit anna        what was done with one client's notes in the last 90 days; `audit anna 365` goes further back
audit review      all since the last review: at a glance, then line by line, then the question whether it was you
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from notevault.app import alarms_source, reviewing
from notevault.app.reviewing import DAY_MS, Recent
from notevault.domain import dates
from notevault.domain.loglines import Day, days_of
from notevault.domain.logsummary import nights_of, unusual, weeks_of
from notevault.domain.logwords import counted
from notevault.domain.matching import find_clients
from notevault.errors import UsageFault
from notevault.shell import commands_vault
from notevault.shell.commands_clients import pick
from notevault.shell.complete import REVIEW
from notevault.shell.desk import Desk
from notevault.shell.home_data import hear_log
from notevault.shell.paint import Row, wrapped
from notevault.shell.safe import cell_width, visible_line
from notevault.shell.screens import Rows, Words
from notevault.shell.ui import Progress, options
from notevault.shell.wording import in_plain_words
from notevault.vault.notebook import ClientView

DAYS, CLIENT_DAYS = 7, 90
DAYS_MOST, REVIEW_MOST = 3660, 366
AGAIN_MS = 60 * 60_000
"""Before the last review, shown once more: what was done while that was being read."""
IN_TERMINAL = ("card", "disclose", "export", "proof", "report", "verify")
"""What `notevault audit` does on the command line only."""
MEASURE = 100
NAMED = 50
"""Findings that are spelled out."""
ADVICE = (
    "Then somebody may have used your vault. Nothing was recorded as looked over. Now:",
    "",
    "1  Change the passphrase, in a place where nobody looks on. Whoever knows only the old one is shut out"
    " from now on; what was read stays read.",
    "2  Ask everyone who can get at this laptop: colleagues, family, the person who repairs it. Most such lines are"
    " explained by a shared desk.",
    "3  If the laptop was lost, or in foreign hands, do not go on working on it: open the vault on another one with"
    " your recovery sheet, and have this one looked at.",
    "4  Keep the vault folder and the backups as they are; write down what you saw, and when. `verify` says whether"
    " anything was changed.",
    "5  If notes were read by somebody else, the law may give you 72 hours to report it: call your data-protection"
    " adviser or your professional body today.",
)


async def audit(desk: Desk, rest: str) -> None:
    if rest.lower() == REVIEW:
        await review(desk)
        return
    if rest.lower().partition(" ")[0] in IN_TERMINAL and await _is_no_client(desk, rest):
        raise _elsewhere(rest.lower().partition(" ")[0])
    text, days = _asked(rest)
    client: ClientView | None = None
    if text:
        client = await pick(desk, text, "Whose acts?")
        if client is None:
            return
    days = days or (CLIENT_DAYS if text else DAYS)
    view = await _read(desk, desk.now() - days * DAY_MS, client)
    span = f"the last {counted(days, 'day')}"
    title: Words = (lambda hidden: f"Log: {desk.who(client, hidden)}, {span}") if client else f"Log: {span}"
    nothing = f"Nothing about {client.code} was done in {span}." if client else f"Nothing was entered in {span}."
    await desk.ui.page(title, view.rows(lambda width, hidden: view.lines(width, hidden, nothing)), at_end=True)
    await desk.run(lambda: _looked(desk))


async def _is_no_client(desk: Desk, text: str) -> bool:
    return not find_clients(text, await desk.clients())


def _elsewhere(word: str) -> UsageFault:
    besides = " Here, `verify` checks the vault." if word == "verify" else ""
    return UsageFault(
        f"Type this in a terminal, outside of this window: `notevault audit {word}`.",
        f"`notevault help audit {word}` says how.{besides}",
    )


def _looked(desk: Desk) -> None:
    desk.looked()
    alarms_source.looked(desk.session)


def _asked(rest: str) -> tuple[str, int | None]:
    """(client as typed, days); a number alone is days."""
    *words, last = rest.split() or [""]
    if last.isascii() and last.isdecimal():
        if not 1 <= int(last[:9]) <= DAYS_MOST:
            raise UsageFault(f"That is no number of days from 1 to {DAYS_MOST:,}.", "Type it like `audit 30`.")
        return " ".join(words), int(last)
    return rest, None


def _since(desk: Desk, last: int | None, first: int) -> tuple[int, str]:
    """From when on a review reads, and how that is said: by the moment that she knows, not by the margin."""
    now = desk.now()
    oldest = now - REVIEW_MOST * DAY_MS
    begun = first if last is None else last
    if begun > now:  # by a clock that is wrong now or was then
        return (
            now - DAY_MS,
            "Everything since yesterday: by this clock, you looked last at a time to come.",
        )
    moment = desk.moment(begun)
    named = f"{moment} today" if desk.day(begun) == desk.day(now) else moment
    if begun < oldest:
        before = "You have not looked over the log before" if last is None else f"You looked last on {named}"
        day = dates.day_words(desk.day(oldest), desk.day(now))
        return oldest, f"Everything since {day}. {before}; `audit` with a number of days shows what lies between."
    if last is None:
        return begun, f"Everything since {named}, when the vault was begun. You have not looked over the log before."
    return max(first, begun - AGAIN_MS), f"Everything since {named}, when you looked last, and the hour before that."


async def review(desk: Desk) -> None:
    """Since the last review, or the vault's beginning; recorded only when all of it was hers."""
    last = await desk.run(lambda: reviewing.last_review(desk.session))
    first = await desk.run(lambda: reviewing.first_entry(desk.session))
    since, since_words = _since(desk, last, first)
    view = await _read(desk, since, None)
    heads = [
        since_words,
        "First at a glance, then line by line; at the end you are asked whether all of it was you.",
    ]
    title = "Look over the log"
    await desk.ui.page(title, view.rows(lambda width, hidden: view.review(width, hidden, heads)))
    await desk.run(lambda: _looked(desk))
    doubtful = bool(view.alarms or view.recent.unread or any(fact.fault for fact in view.recent.facts))
    own = await desk.ui.confirm(
        title,
        [
            since_words,
            f"{view.recent.entries:,} {'entry' if view.recent.entries == 1 else 'entries'}.",
            *(["Something in it does not hold."] if doubtful else []),
        ],
        "Was all of this you?",
        default=None,
    )
    if own:
        await desk.run(lambda: reviewing.record_review(desk.session, since, view.recent.entries))
        desk.say("Thank you: the log is looked over. You are reminded again in 30 days.")
    elif own is False:
        await _not_you(desk)
    else:
        desk.say("The review was not finished; `audit review` begins it again.")


async def _not_you(desk: Desk) -> None:
    await desk.ui.page(
        "Not you", lambda width, _hidden: [row for line in ADVICE for row in _hanging(line, width, indent="   ")]
    )
    picked = await desk.ui.choose("Not you", [], options("Change the passphrase now", "Later"), numbered=True)
    if picked == 0:
        await commands_vault.passphrase(desk, "")
    else:
        desk.say("Not recorded as looked over. `passphrase` changes the passphrase, `verify` checks the vault.")


@dataclass(repr=False)
class _View:
    """What was read, and what it was read beside; rows are made once for each width."""

    recent: Recent
    days: list[Day]
    alarms: list[str]
    today: date
    _made: dict[tuple[int, bool], list[Row]] = field(default_factory=dict)

    def rows(self, make: Callable[[int, bool], list[Row]]) -> Rows:
        def made(width: int, hidden: bool) -> Sequence[Row]:
            width = min(width, MEASURE)
            if (width, hidden) not in self._made:
                self._made[width, hidden] = make(width, hidden)
            return self._made[width, hidden]

        return made

    def lines(self, width: int, hidden: bool, nothing: str) -> list[Row]:
        """Day by day, then what must not be overlooked."""
        return [*(self._days(width, hidden) if self.days else wrapped(nothing, width)), *self.warnings(width)]

    def _days(self, width: int, hidden: bool) -> list[Row]:
        rows: list[Row] = []
        room = max((len(line.clock) for day in self.days for line in day.lines), default=0)
        for day in self.days:
            rows.append([("class:heading", day.heading(self.today))])
            for line in day.lines:
                said = visible_line(line.words(self.today, hidden=hidden))
                rows += _timed(line.clock.ljust(room), said, width, loud=line.loud)
            rows.append([("", "")])
        if self.recent.upkeep:
            upkeep = counted(self.recent.upkeep, "time").replace("1 time", "once")
            rows += wrapped(f"The log also changed its own key {upkeep}; that is as it should be.", width)
        return rows

    def warnings(self, width: int) -> list[Row]:
        """Findings of any time, and what else was noticed."""
        said = list(dict.fromkeys([*self.alarms, *self.recent.unread]))
        if not said:
            return []
        rows: list[Row] = [[("", "")], [("class:heading", "Look at this")]]
        said = [*said[:NAMED], *([f"{len(said) - NAMED:,} more; `verify` names them."] if said[NAMED:] else [])]
        for sentence in said:
            rows += _hanging(f"!  {visible_line(sentence)}", width, "class:message", indent="   ")
        return [*rows, *_hanging("`verify` checks everything; `help audit` tells more.", width, indent="   ")]

    def review(self, width: int, hidden: bool, heads: list[str]) -> list[Row]:
        facts = self.recent.facts
        rows = [row for head in heads for row in wrapped(head, width)]
        rows += [[("", "")], [("class:heading", "Week by week")]]
        for week in weeks_of(facts):
            rows += _hanging(week.words(self.today), width, indent="   ")
        rows += [[("", "")], [("class:heading", "Worth a second look")]]
        odd = [*nights_of(facts)]
        for night in odd:
            rows += _hanging(night.words(self.today), width, indent="   ")
        strange = unusual(facts)
        for line in strange:
            day = line.first.day
            when = dates.day_words(day, self.today) if day else "at no possible time"
            said = visible_line(f"{when} {line.clock}  {line.words(self.today, hidden=hidden)}")
            rows += _hanging(said, width, "class:message" if line.loud else "", indent="   ")
        if not odd and not strange:
            rows += wrapped("Nothing: no work at night, no failed unlock, no clock set, nothing exported.", width)
        rows += self.warnings(width)
        return [*rows, [("", "")], [("class:heading", "Line by line")], [("", "")], *self._days(width, hidden)]


async def _read(desk: Desk, since: int, client: ClientView | None) -> _View:
    """That the log is looked at, with names and the words of searches, is in it before it is read: each time."""

    def job(say: Progress) -> _View:
        with desk.gate:
            hear_log(desk)
            clients = desk.notebook.clients_for_review()
            read = reviewing.recent(
                desk.session,
                clients,
                since,
                None if client is None else client.id,
                lambda done: say(f"{done:,} entries"),
            )
            alarms = [in_plain_words(each.sentence) for each in desk.session.findings]
            return _View(read, days_of(read.facts), [*alarms, *desk.alarms.sentences()], desk.day(desk.now()))

    return await desk.ui.work("Log", ["Reading the log\u2026"], job)


def _timed(clock: str, said: str, width: int, *, loud: bool) -> list[Row]:
    """The time, then the words, with their further rows below them."""
    mark = "!" if loud else " "
    head = f"{mark} {clock}  "
    style = "class:message" if loud else ""
    told = wrapped(said, max(10, width - len(head)), style)
    heads = [head, *[" " * len(head)] * (len(told) - 1)]
    return [[("class:key" if loud else "", each), *row] for each, row in zip(heads, told, strict=True)]


def _hanging(text: str, width: int, style: str = "", *, indent: str) -> list[Row]:
    """Wrapped, the second row and all after it indented."""
    first, *more = wrapped(text, width, style)
    if not more:
        return [first]
    rest = text[len("".join(part for _, part in first)) :].lstrip()
    return [first, *wrapped(rest, max(cell_width(indent) + 10, width), style, indent)]
