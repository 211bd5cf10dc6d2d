"""Copies that somebody else wrote into: planted states, other identities, forks, renewed keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.auditlog import card
from notevault.backup.copies.identities import fingerprint
from notevault.backup.places import layout as place
from notevault.crypto import signing
from notevault.errors import NotFound
from tests.backup import handmade
from tests.backup.test_copies import lay, read
from tests.backup.vaults import Made2, synthetic


@pytest.fixture
def made(tmp_path: Path) -> Made2:
    return synthetic(tmp_path / "home", (3000,) * 12)


def test_anchors_that_nobody_signed_change_nothing(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    (base / place.anchor(made.origin, made.size + 5, bytes(32))).write_bytes(made.checkpoint())
    (base / place.anchor(made.origin, 1 << 40, b"x" * 32)).write_bytes(b"")
    (base / place.anchor(made.origin, made.size - 1, b"y" * 32)).write_bytes(b"notevault")
    choice = read(base).whole()
    assert (choice.states[made.origin].size, choice.newer, choice.forked) == (made.size, None, ())


def test_two_signed_states_that_contradict_each_other_are_a_fork(made: Made2, tmp_path: Path) -> None:
    other = made.copy_to(tmp_path / "other")
    made.grow(3)
    other.grow(5)
    base = lay(made, tmp_path / "stick")
    handmade.lay(other.vault, other.hex, tmp_path / "stick")
    part = base / place.part(made.origin, 0, made.size)
    assert part.exists()
    choice = read(base).newest()
    assert choice.forked == (made.origin,)
    assert choice.states[made.origin].size == other.size


def test_another_identity_with_a_longer_log_is_left_out(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    forger = Made2(tmp_path / "forger", seed="forger")
    forger.vault_id = made.vault_id
    forger.begin()
    forger.grow(100, 50)
    lay(forger, tmp_path / "stick")
    vik = signing.public_key(made.vik)
    for known in (vik, fingerprint(vik)):
        choice = read(base, known=known).whole()
        assert set(choice.states) == {made.origin}
        assert (choice.live.count, choice.strangers) == (12, 1)
        assert read(base, known=known).highest_seq() == 1
    with pytest.raises(NotFound, match="another vault"):
        read(base, known=bytes(32)).newest()
    # without a word from outside one of the two is taken, never a mixture
    assert len(read(base).newest().states) == 1


def test_a_card_signed_anew_by_somebody_else_does_not_take_the_log_along(made: Made2, tmp_path: Path) -> None:
    one, two = lay(made, tmp_path / "one"), lay(made, tmp_path / "two")
    log, forger = made.log, signing.private_key(bytes(range(32)))
    keys = (log.first_pub, signing.public_key(log.identity), made.hex, signing.public_bytes(forger))
    (one / place.card(made.origin)).write_bytes(card.make(1, made.device.hex(), *keys, forger.sign))
    vik = signing.public_key(made.vik)
    with pytest.raises(NotFound):
        read(one, known=vik).newest()
    copies = read(one, two, known=vik)
    assert copies.whole().states[made.origin].size == made.size
    assert copies.card(made.origin) == made.paths.card(made.origin).read_bytes()


def test_a_renewed_identity_is_followed(made: Made2, tmp_path: Path) -> None:
    first = signing.public_key(made.vik)
    made.renew()
    made.purge(made.digests[0])
    made.recover()
    made.grow(1)
    base = lay(made, tmp_path / "stick")
    for known in (None, first, signing.public_key(made.vik)):
        choice = read(base, known=known).whole()
        assert len(choice.states) == 2
        assert choice.live.count == 12
        assert choice.strangers == 0
