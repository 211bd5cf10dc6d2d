"""Every byte of every file counts: changed, cut, lengthened, exchanged or taken away, no vault passes for whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog.vaultcheck import check_vault
from tests.auditlog import sample
from tests.auditlog.forge import Forge, busy


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return busy(tmp_path_factory.mktemp("small") / "vault", 60, days=3, epochs=3, logs=2)


def _check(vault: Forge) -> int:
    return check_vault(vault.folder, card=vault.card, verify=sample.verify).exit_code


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_byte_of_any_file_passes(small: Forge, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in small.files() if path.name != "hashes"]))
    true = path.read_bytes()
    at, bit = data.draw(st.integers(0, len(true) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(true[:at] + bytes([true[at] ^ 1 << bit]) + true[at + 1 :])
    code = _check(small)
    path.write_bytes(true)
    assert code == 1


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_shortened_lengthened_or_exchanged_file_passes(small: Forge, data: st.DataObject) -> None:
    files = [path for path in small.files() if path.name != "hashes"]
    path = data.draw(st.sampled_from(files))
    true = path.read_bytes()
    other = data.draw(st.sampled_from(files)).read_bytes()
    ways = {
        "shorter": true[: data.draw(st.integers(0, len(true) - 1))],
        "longer": true + data.draw(st.binary(min_size=1, max_size=20)),
        "another": other,
        "random": data.draw(st.binary(max_size=60)),
    }
    way = data.draw(st.sampled_from(sorted(ways)))
    path.write_bytes(ways[way])
    code = _check(small)
    path.write_bytes(true)
    unchanged = ways[way] == true or (path.name == "open" and ways[way].startswith(true))
    assert (code == 0) is unchanged


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_vault_with_files_taken_away_never_raises(small: Forge, data: st.DataObject) -> None:
    """Only what is a copy of something known, or allowed to go, may be gone without a word that matters."""
    path = data.draw(st.sampled_from(small.files()))
    true = path.read_bytes()
    path.unlink()
    code = _check(small)
    path.write_bytes(true)
    older = path.parent.parent.name == "headers" and not path.name.startswith(f"{len(small.headers):08d}")
    closing = path == small.logs[0].folder / "seals" / "00000002"  # the signed state itself is of that close
    held = path == small.logs[0].folder / "card"
    empty = path.name == "open" and not true
    assert (code == 0) is (path.name == "hashes" or older or held or empty or closing)
