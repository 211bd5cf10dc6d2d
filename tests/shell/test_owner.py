"""The passphrase asked for again in an open shell: every wrong guess is in the log, as at the door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from notevault.app import opening
from notevault.shell import owner
from notevault.shell.control import Channel
from notevault.shell.desk import Desk
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.wiring.locked import locked_side
from tests.vault.build import OTHER_PASSPHRASE, PASSPHRASE, ROOT, House, small


class Asked:
    """A screen on which this is typed."""

    def __init__(self, *typed: str | None) -> None:
        self.typed = list(typed)

    async def ask(self, title: str, text: list[str], label: str, *, secret: bool) -> str | None:
        assert secret
        return self.typed.pop(0)

    async def work(self, title: str, text: list[str], job: Callable[[Any], bool]) -> bool:
        return await asyncio.get_running_loop().run_in_executor(None, job, lambda _words: None)


def desk_of(session: Session, *typed: str | None) -> Desk:
    desk = Desk(session.env, locked_side(str(ROOT)), cast(Any, Asked(*typed)), Channel(None))
    desk._session, desk._notebook = session, Notebook(session)
    return desk


def failed(house: House) -> list[tuple[str, int]]:
    return [(str(each.k["why"]), int(each.k["n"])) for each in house.log() if each.ev == "session.fail"]


def test_a_wrong_guess_in_an_open_shell_is_logged_before_it_is_answered() -> None:
    house = small()
    session = house.unlock()
    desk = desk_of(session, OTHER_PASSPHRASE, None, PASSPHRASE)
    assert not asyncio.run(owner.asked(desk, "A new passphrase"))
    assert desk.message == ["That is not your passphrase. Nothing was changed."]
    assert failed(house) == [("passphrase", 1)]
    assert not asyncio.run(owner.asked(desk, "A new passphrase")), "went back: no guess"
    assert asyncio.run(owner.asked(desk, "A new passphrase"))
    assert failed(house) == [("passphrase", 1)]
    session.close("key")
    later = house.unlock()
    assert any("one failed try" in notice for notice in later.notices)
    assert later.findings == []
    later.close("key")


@pytest.mark.slow
def test_many_guesses_are_counted_together_and_none_is_left_out() -> None:
    house = small()
    session = house.unlock()
    for _ in range(17):
        assert not opening.knows_passphrase(session, OTHER_PASSPHRASE)
    told = failed(house)
    assert len(told) < 17
    session.close("key")
    house.unlock().close("key")
    assert sum(n for _, n in failed(house)) == 17


def test_a_guess_that_cannot_be_logged_now_is_entered_later() -> None:
    house = small()
    session = house.unlock()
    house.files.fail_when("grow", 28, lasting=True)
    assert not opening.knows_passphrase(session, OTHER_PASSPHRASE)
    house.files.mend()
    session.close("key")
    assert failed(house) == []
    house.unlock().close("key")
    assert failed(house) == [("passphrase", 1)]


@pytest.mark.parametrize("guess", [OTHER_PASSPHRASE, PASSPHRASE])
def test_a_guess_never_shows_in_what_is_said(guess: str) -> None:
    session = small().unlock()
    desk = desk_of(session, guess)
    asyncio.run(owner.asked(desk, "A new passphrase"))
    assert guess not in " ".join(desk.message)
    session.close("key")
