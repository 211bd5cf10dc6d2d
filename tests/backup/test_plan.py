"""What a place lacks, told by names: exactly the live files that are not there, whatever else lies around."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notevault.backup.mirror import plan
from notevault.backup.places import layout as place
from notevault.errors import Damaged
from tests.backup.scene import STICK, Scene
from tests.fakes.places import PlaceDisk


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("plan"), (700,) * 12, PlaceDisk(STICK))


def fresh(scene: Scene) -> Scene:
    scene.disk = PlaceDisk(STICK)
    scene.put(place.MARKER, b"")
    return scene


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.booleans(), st.booleans())
def test_what_is_missing_is_planned_and_nothing_else(
    scene: Scene, there: set[int], skip: set[int], sizes: bool, header: bool
) -> None:
    fresh(scene)
    digests = scene.made.digests
    for number in there:
        scene.put(place.blob(digests[number]), bytes(700))
    if header:
        scene.put(place.header(scene.made.origin, 1, scene.made.prev), b"x")
    made = plan.make(scene.source(), scene.tree(), {digests[number] for number in skip}, sizes=sizes)
    missing = {digests[number] for number in range(12) if number not in there | skip}
    assert made.blobs == [(digest, 700) for digest in sorted(missing)]
    assert made.there == len(there)
    assert [one.digest for one in made.headers] == ([] if header else [scene.made.prev])
    assert (made.strays, made.wrong) == ([], [])
    blobs = [folder for folder in made.folders if folder.startswith("blobs")]
    assert blobs == (["blobs"] if missing and not there else [])  # those below it come with their files


def test_strays_and_wrong_sizes_are_told_apart_from_files_that_are_none_of_ours(scene: Scene) -> None:
    fresh(scene)
    one, two = scene.made.digests[:2]
    scene.put(place.blob(one), b"short")
    scene.put(f"{place.blob(two)} (1)", bytes(700))
    scene.put(f"blobs/{one[:2]}/{one[:2]}{'0' * 62}", b"another laptop's")
    scene.put(f"headers/{scene.made.origin}/copy", b"x")
    made = plan.make(scene.source(), scene.tree(), sizes=True)
    assert made.wrong == [place.blob(one)]
    assert made.strays == [f"{place.blob(two)} (1)", f"headers/{scene.made.origin}/copy"]
    assert one not in dict(made.blobs)
    assert made.there == 0
    assert plan.make(scene.source(), scene.tree()).wrong == []  # names alone do not tell


def test_a_link_where_a_folder_belongs_is_refused(scene: Scene) -> None:
    fresh(scene)
    scene.put("blobs", b"", link=True)
    with pytest.raises(Damaged):
        plan.make(scene.source(), scene.tree())
