"""The tree: roots known from Certificate Transparency, proofs of every pair, and nothing that a forger can bend."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import merkle
from notevault.auditlog.merkle import Frontier

# The test data of the Certificate Transparency reference implementation (RFC 6962 hashing).
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
KNOWN = [merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS]
LEAVES = [merkle.leaf_hash(b"%d" % i) for i in range(70)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert merkle.root(KNOWN[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(70))
def test_the_frontier_and_the_whole_tree_agree_with_the_definition(size: int) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert frontier.size == size
    assert frontier.root() == merkle.root(LEAVES[:size]) == by_definition(LEAVES[:size])


@given(st.integers(0, 1200))
def test_a_frontier_grown_from_bundles_is_the_same(size: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % i) for i in range(size)]
    full = size // 256
    roots = [merkle.bundle_root(leaves[256 * q : 256 * q + 256]) for q in range(full)]
    for given_roots in (roots, b"".join(roots)):
        frontier = Frontier.from_bundles(given_roots, leaves[256 * full :])
        assert (frontier.size, frontier.root()) == (size, merkle.root(leaves))
        frontier.append(LEAVES[0])
        assert frontier.root() == merkle.root([*leaves, LEAVES[0]])
    grown = Frontier()
    for each in roots:
        grown.append_bundle(each)
    grown.extend(leaves[256 * full :])
    assert grown.root() == merkle.root(leaves)


def test_a_copy_grows_alone() -> None:
    frontier = Frontier.from_bundles([], LEAVES[:5])
    copy = frontier.copy()
    copy.append(LEAVES[5])
    assert (frontier.size, copy.size) == (5, 6)
    assert frontier.root() == merkle.root(LEAVES[:5])


def test_wrong_sizes_are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(b"short")
    with pytest.raises(ValueError, match="256"):
        merkle.bundle_root(LEAVES)
    with pytest.raises(ValueError, match="multiple"):
        Frontier.from_bundles([], LEAVES[:1]).append_bundle(LEAVES[0])
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier.from_bundles(b"x" * 33)
    with pytest.raises(IndexError):
        merkle.prove_inclusion(LEAVES, len(LEAVES))
    with pytest.raises(ValueError, match="within"):
        merkle.prove_consistency(LEAVES, len(LEAVES) + 1)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 33])
def test_every_leaf_is_proven_in_its_place_and_in_no_other(size: int) -> None:
    leaves, root = LEAVES[:size], merkle.root(LEAVES[:size])
    for i in range(size):
        proof = merkle.prove_inclusion(leaves, i)
        assert merkle.check_inclusion(proof, size, root, i, leaves[i])
        for other in range(size):
            if other != i:
                assert not merkle.check_inclusion(proof, size, root, other, leaves[i])
                assert not merkle.check_inclusion(proof, size, root, i, leaves[other])
        assert not merkle.check_inclusion([*proof, LEAVES[0]], size, root, i, leaves[i])
        assert not proof or not merkle.check_inclusion(proof[:-1], size, root, i, leaves[i])
        for step in range(len(proof)):
            bent = [*proof[:step], LEAVES[69], *proof[step + 1 :]]
            assert not merkle.check_inclusion(bent, size, root, i, leaves[i])


@pytest.mark.parametrize("size", range(1, 20))
def test_every_prefix_is_consistent_and_nothing_else(size: int) -> None:
    leaves, root = LEAVES[:size], merkle.root(LEAVES[:size])
    for old in range(size + 1):
        proof, before = merkle.prove_consistency(leaves, old), merkle.root(leaves[:old])
        assert merkle.check_consistency(proof, old, before, size, root)
        assert not merkle.check_consistency(proof, old, LEAVES[69], size, root)
        assert not merkle.check_consistency([*proof, LEAVES[0]], old, before, size, root)
        if proof:
            assert not merkle.check_consistency(proof[:-1], old, before, size, root)
            assert not merkle.check_consistency(proof, old, before, size, LEAVES[69])
            for step in range(len(proof)):
                bent = [*proof[:step], LEAVES[69], *proof[step + 1 :]]
                assert not merkle.check_consistency(bent, old, before, size, root)


def test_the_empty_tree_begins_every_tree_and_follows_none() -> None:
    root = merkle.root(LEAVES[:3])
    assert merkle.check_consistency([], 0, merkle.EMPTY_ROOT, 3, root)
    assert merkle.check_consistency([], 0, merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT)
    assert not merkle.check_consistency([], 0, root, 0, root)
    assert not merkle.check_consistency([], 3, root, 0, merkle.EMPTY_ROOT)
    assert not merkle.check_inclusion([], 0, merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT)


HASHES = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(LEAVES)), max_size=6)


@given(HASHES, st.integers(-2, 70), st.integers(-2, 70), st.sampled_from(LEAVES), st.binary(max_size=33))
def test_random_proofs_are_false_and_never_raise(proof: list[bytes], a: int, b: int, root: bytes, leaf: bytes) -> None:
    assert not merkle.check_inclusion(proof, a, root, b, leaf)
    assert not merkle.check_consistency(proof, a, root, b, leaf)


def test_hashes_of_other_lengths_prove_nothing() -> None:
    """Two children glued together would else pass for one leaf of 64 bytes."""
    left, right = LEAVES[0], LEAVES[1]
    assert not merkle.check_inclusion([right[:31]], 2, merkle.node_hash(left, right[:31]), 0, left)
    assert not merkle.check_inclusion([], 1, left + right, 0, left + right)
