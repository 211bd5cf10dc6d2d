"""audit disclose: one client's year and not a step further, in the log before a byte of it leaves the vault."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notevault.app import disclosing
from notevault.auditlog import disclosure, entry
from notevault.auditlog.vaultcheck import check_vault
from notevault.crypto import kdf, signing
from notevault.domain.clients import Client
from notevault.errors import NotFound, ReadOnlyVault, UsageFault
from notevault.vault import rekey
from notevault.vault.headers import change_header
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.survey import open_log
from tests.cli.homes import PASSPHRASE, Home
from tests.cli.test_terminal import at_terminal, ending
from tests.vault import build
from tests.vault.build import CHEAP, House, note_of

NAMES = ("Anna Berg", "Jon Lind", "Mia Holm")
YEARS = (2025, 2026, 2027)
THIS_YEAR = datetime.now(UTC).year

# -- against the truth


@dataclass
class Practice:
    """Three clients over three years, one of them with two keys, in a vault whose second log follows the first."""

    house: House
    ids: dict[str, bytes] = field(default_factory=dict)

    def work(self, session: Session, year: int) -> None:
        """A note for each, opened again, a search that shows all of them; in the last minutes of a year too."""
        clock, book = self.house.clock, Notebook(session)
        clock.advance(max(0, disclosure.year_ms(year) + 60_000 - clock.wall_ms()))
        for name, id_ in self.ids.items():
            view = book.add_note(id_, note_of(f"In {year}: walks with {name}.", clock.wall_ms()))
            book.open_note(view.id)
        book.find(["walks"])
        clock.advance(disclosure.year_ms(year + 1) - clock.wall_ms() - 1)
        book.open_client(self.ids["Anna Berg"])
        clock.advance(1)
        book.open_client(self.ids["Jon Lind"])


def practice() -> Practice:
    house, session = build.created("disclosing")
    book, made = Notebook(session), Practice(house)
    for number, name in enumerate(NAMES, 1):
        client = Client(name, f"C-{number}", None, house.clock.wall_ms())
        made.ids[name] = book.add_client(client).id
    made.work(session, 2025)
    session.close("exit")
    for key in [key for key in house.stores.items if key.endswith("/log")]:
        del house.stores.items[key]  # the key of the log is gone: a second one follows
    session = house.unlock()
    anna = made.ids["Anna Berg"]
    table = session.keys.table
    grown = type(table)(table.vik_seed, table.wide, {**table.clients, (anna, 2): bytes(range(32))})
    change_header(session, "renewal", table=grown)
    made.work(session, 2026)
    session.close("exit")
    return made


def all_entries(session: Session) -> list[tuple[str, entry.Entry]]:
    found: list[tuple[str, entry.Entry]] = []
    for origin in session.header.origins:
        log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
        for data in log.entries(0, tail.size):
            parsed = entry.parse(data)
            assert isinstance(parsed, entry.Entry)
            found.append((origin, parsed))
    return found


def truth(session: Session, client: bytes, year: int) -> set[tuple[str, int]]:
    """What the keys of the open vault say: every entry about this client with a time in this year."""
    found = set()
    for origin, each in all_entries(session):
        subject = session.sealer.routing_of(each, origin)
        of_year = disclosure.year_ms(year) <= each.t < disclosure.year_ms(year + 1)
        if subject is not None and subject.client == client and of_year:
            found.add((origin, each.i))
    return found


def found_by(data: bytes, session: Session) -> set[tuple[str, int]]:
    """What the file finds, as an auditor would: signature first."""
    parsed = disclosure.parse(data)
    assert isinstance(parsed, disclosure.Disclosure)
    assert disclosure.check(parsed, session.vault_id.hex(), [session.header.vik], signing.verify) is None
    matches = disclosure.matcher(parsed)
    return {(origin, each.i) for origin, each in all_entries(session) if matches(each, origin)}


def disclosed(session: Session, code: str, year: int) -> tuple[bytes, disclosing.Plan]:
    plan = disclosing.plan(Notebook(session), code, year)
    return disclosing.disclose(session, plan), plan


def test_the_file_finds_all_entries_of_the_client_in_that_year_and_no_others() -> None:
    made = practice()
    session = made.house.unlock(shell=False)
    logs = set()
    assert len(session.header.origins) == 2
    for number, name in enumerate(NAMES, 1):
        for year in (2025, 2026):
            data, plan = disclosed(session, f"C-{number}", year)
            expected = truth(session, made.ids[name], year)
            assert found_by(data, session) == expected
            assert len(expected) == plan.entries >= 3
            logs |= {origin for origin, _ in expected}
            assert len(plan.keys) == (2 if name == "Anna Berg" else 1)
    assert len(logs) == 2
    generations = {
        subject.generation
        for origin, each in all_entries(session)
        if (subject := session.sealer.routing_of(each, origin)) and subject.client == made.ids["Anna Berg"]
    }
    assert generations == {1, 2}
    session.close("exit")


def test_it_is_in_the_log_with_its_year_sealed_and_found_by_the_next_one() -> None:
    made = practice()
    session = made.house.unlock(shell=False)
    before = session.recorder.tail.size
    _, plan = disclosed(session, "C-2", 2025)
    (told,) = [each for origin, each in all_entries(session) if each.ev == "audit.disclose"]
    assert (told.i, told.a, told.o, told.pu) == (before + 1, "R", "ok", "review")  # its opening shares the commit
    subject = session.sealer.routing_of(told, session.origin)
    assert subject is not None
    assert (subject.type, subject.client, subject.object) == (1, made.ids["Jon Lind"], bytes(16))
    assert session.sealer.details_of(told, session.origin) == {"v": 1, "year": 2025}
    assert session.sealer.check_mac(told, session.origin)
    again, second = disclosed(session, "C-2", 2027)  # the clock stands in 2027
    assert found_by(again, session) == truth(session, made.ids["Jon Lind"], 2027)
    assert (session.origin, told.i) in found_by(again, session)
    assert second.entries > 0
    assert plan.year == 2025
    session.close("exit")


def test_after_a_passphrase_change_it_finds_the_same() -> None:
    made = practice()
    session = made.house.unlock()
    before, _ = disclosed(session, "C-1", 2025)
    rekey.change_passphrase(session, kdf.normalise(build.OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    session = made.house.unlock(build.OTHER_PASSPHRASE)
    after, _ = disclosed(session, "C-1", 2025)
    assert found_by(after, session) == found_by(before, session) == truth(session, made.ids["Anna Berg"], 2025)
    session.close("exit")


def test_the_file_holds_keys_of_that_year_and_nothing_that_names_anyone() -> None:
    made = practice()
    session = made.house.unlock()
    (one, _), (two, _) = disclosed(session, "C-1", 2025), disclosed(session, "C-1", 2026)
    first, second = disclosure.parse(one), disclosure.parse(two)
    assert isinstance(first, disclosure.Disclosure)
    assert isinstance(second, disclosure.Disclosure)
    assert not {key for _, key in first.keys} & {key for _, key in second.keys}
    table = session.keys.table
    secrets = [*table.clients.values(), *table.wide.values(), table.vik_seed, session.keys.vk]
    for data in (one, two):
        assert not [name for name in NAMES if name.split()[0].encode() in data]
        assert made.ids["Anna Berg"].hex().encode() not in data
        assert not [secret for secret in secrets if secret.hex().encode() in data]
        assert b"C-1" not in data
    session.close("exit")


def test_where_it_cannot_be_logged_nothing_is_disclosed() -> None:
    house = build.small()
    older = house.copy()
    session = house.unlock()
    Notebook(session).open_client(house.ids["anna"])
    plan = disclosing.plan(Notebook(session), "C-1", 2025)
    session.close("exit")
    house.put_back(older)
    session = house.unlock()
    assert session.read_only is not None
    with pytest.raises(ReadOnlyVault):
        disclosing.plan(Notebook(session), "C-1", 2025)
    with pytest.raises(ReadOnlyVault):
        disclosing.disclose(session, plan)
    session.close("exit")


def test_a_client_or_a_year_without_entries_is_refused_and_not_logged_as_disclosed() -> None:
    house = build.small()
    session = house.unlock()
    for code, year, fault in (("C-9", 2025, NotFound), ("C-1", 2024, NotFound), ("C-1", 1969, UsageFault)):
        with pytest.raises(fault):
            disclosing.plan(Notebook(session), code, year)
    assert house.events()[-1] == "session.list", "that there is no such client was an answer about names"
    assert "audit.disclose" not in house.events()
    session.close("exit")


# -- the command


def words(home: Home, *more: str, code: str = "C-014", year: int = THIS_YEAR) -> tuple[str, ...]:
    return ("audit", "disclose", code, "--year", str(year), "--out", str(home.path / "who"), *more)


def test_the_command_writes_a_file_for_its_owner_alone_and_shows_no_name(worked: Home) -> None:
    before = worked.log_size()
    done = worked.run(*words(worked, "--yes"), open_it=True)
    path = worked.path / "who"
    assert path.stat().st_mode & 0o777 == 0o600
    assert worked.log_size() == before + 2  # opened, disclosed
    assert done.stdout.startswith("saved ")
    for text in (done.stdout, done.stderr, path.read_text("ascii")):
        assert "Anna" not in text
        assert "Berg" not in text
    parsed = disclosure.parse(path.read_bytes())
    assert isinstance(parsed, disclosure.Disclosure)
    assert parsed.year == THIS_YEAR
    (log,) = worked.vault.glob("audit/*")
    verdict = check_vault(worked.vault, card=(log / "card").read_bytes(), disclosure=path.read_bytes(), log_only=True)
    (found,) = [each.disclosed for each in verdict.logs]
    assert found[-1] == worked.log_size() - 1  # the disclosure itself
    path.unlink()
    (facts,) = worked.objects(*words(worked, "--yes"))
    assert facts["entries"] == len(found) + 1  # itself too: what the auditor finds
    verdict = check_vault(worked.vault, card=(log / "card").read_bytes(), disclosure=path.read_bytes(), log_only=True)
    assert facts["entries"] == sum(len(each.disclosed) for each in verdict.logs)
    assert (facts["client"], facts["year"], facts["what"]) == ("C-014", THIS_YEAR, "disclosure")
    assert facts["file"] == str(path)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"out": ".local/share/notevault/vault/who"}, 64),
        ({"out": "link/who"}, 64),
        ({"out": "sheet.txt"}, 64),
        ({"out": "nowhere/who"}, 73),
        ({"client": "C-999"}, 66),
        ({"year": "1999"}, 66),
        ({"year": "12345"}, 64),
        ({"year": "MMXXVI"}, 64),
        ({"yes": ""}, 64),
        ({"second": "C-015"}, 64),
    ],
    ids=str,
)
def test_what_is_refused_leaves_no_file_and_no_entry_of_it(worked: Home, changed: dict[str, str], code: int) -> None:
    (worked.path / "link").symlink_to(worked.vault)
    before = [path for path in sorted(worked.path.rglob("*")) if path.is_file()]
    given = {"client": "C-014", "year": str(THIS_YEAR), "out": "who", "yes": "--yes", "second": ""} | changed
    parts = [given["client"], given["second"], "--year", given["year"], "--out", given["out"], given["yes"]]
    done = worked.run("audit", "disclose", *filter(None, parts), open_it=True, code=code)
    assert done.stdout == ""
    assert done.stderr.startswith("notevault: ")
    new = {path for path in sorted(worked.path.rglob("*")) if path.is_file()} - {*before, worked.path / "passphrase"}
    assert not {path for path in new if worked.local not in path.parents and worked.vault not in path.parents}
    assert disclosures(worked) == 0


def disclosures(home: Home) -> int:
    (path,) = home.vault.glob("audit/*/open")
    return path.read_bytes().count(b'"ev":"audit.disclose"')


def test_at_a_terminal_it_says_what_the_file_gives_away_and_takes_no_for_an_answer(worked: Home) -> None:
    flag, name = worked.passphrase
    child = at_terminal(worked, *words(worked), flag, name)
    child.expect("sees when Anna Berg's records were written and opened in")
    child.expect("nothing of what they say")
    child.expect(r"\[y/N\]")
    child.sendline("")
    said, code = ending(child)
    assert "Nothing was disclosed." in said
    assert code == 130
    assert not (worked.path / "who").exists()
    assert disclosures(worked) == 0
    (path,) = worked.vault.glob("audit/*/open")
    assert len(re.findall(rb'"ev":"record\.open",[^{}]*"pu":"review"', path.read_bytes())) == 1, "her name was shown"
    child = at_terminal(worked, *words(worked), flag, name)
    child.expect(r"\[y/N\]")
    child.sendline("y")
    said, code = ending(child)
    assert code == 0
    assert "saved " in said
    assert disclosures(worked) == 1
    assert (worked.path / "who").exists()


@pytest.mark.slow
def test_after_a_passphrase_change_the_command_discloses_the_same_keys(worked: Home, tmp_path: Path) -> None:
    worked.run(*words(worked, "--yes"), open_it=True)
    before = json.loads((worked.path / "who").read_bytes())
    (worked.path / "who").unlink()
    new = worked.file("new", "five green kettles sing at dawn\n")
    worked.run("passphrase", "change", "--new-passphrase-file", new, open_it=True)
    assert PASSPHRASE not in Path(new).read_text()
    worked.run(*words(worked, "--yes"), "--passphrase-file", new)
    after = json.loads((worked.path / "who").read_bytes())
    assert after["keys"] == before["keys"]
