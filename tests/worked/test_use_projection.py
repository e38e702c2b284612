"""Layouts of vectors in the plane: what they keep, worked by hand, and what scikit-learn says of them."""

import numpy as np
import pytest

from tests.fakes.word_vectors import themes, vectors_of
from ziggurat.core.errors import UsageError
from ziggurat.use.closest import scaled
from ziggurat.use.projection import cluster, frequent, neighbourhoods, project, trustworthiness


def test_vectors_in_a_plane_lose_nothing() -> None:
    angles = np.radians([0, 21, 75, 140, 203, 290, 341])
    circle = np.zeros((7, 5), np.float32)
    circle[:, 1], circle[:, 3] = np.cos(angles), np.sin(angles)
    layout = project(circle, method="pca")
    assert layout.explained == pytest.approx(1)
    assert layout.trust == 1
    distances = [np.linalg.norm(points[:, None] - points, axis=2) for points in (circle, layout.places)]
    assert np.allclose(distances[0], distances[1], atol=1e-6)  # a turned picture of the same circle


def test_half_of_the_variance() -> None:
    # ± each of four axes: every axis holds a quarter of the variance, two axes hold a half
    axes = np.concatenate([np.eye(4), -np.eye(4)]).astype(np.float32)
    assert project(axes, method="pca").explained == pytest.approx(0.5)


def test_trustworthiness_by_hand() -> None:
    # on a line 0, 1, 3, 7; drawn with the last two exchanged: 0, 1, 7, 3. Nearest neighbour of each, k = 1:
    # drawn: 0 → 1, 1 → 0, the one at 7 → the one at 3, that one → the one at 1 (2 away, the other 4 away)
    # in space: the third (3): ranks 1 → 1st, 0 → 2nd, 7 → 3rd; it is drawn beside the fourth, rank 3: 3 − 1 = 2
    # the fourth (7): ranks 3 → 1st, 1 → 2nd; it is drawn beside the second, rank 2: 2 − 1 = 1
    # 1 − 2 / (4 · 1 · (8 − 3 − 1)) · 3 = 1 − 6 / 16
    space, plane = np.array([[0.0], [1], [3], [7]]), np.array([[0.0], [1], [7], [3]])
    assert trustworthiness(space, plane, neighbours=1) == pytest.approx(1 - 6 / 16)
    assert trustworthiness(space, 5 * space + 2, neighbours=1) == 1


def test_trustworthiness_is_scikit_learns() -> None:
    manifold = pytest.importorskip("sklearn.manifold")
    drawn = np.random.default_rng(5)
    space, plane = drawn.normal(size=(1103, 7)), drawn.normal(size=(1103, 2))
    theirs = manifold.trustworthiness(space, plane, n_neighbors=11)
    assert trustworthiness(space, plane, neighbours=11) == pytest.approx(theirs, abs=1e-9)


def test_few_words_get_axes_and_many_get_neighbours() -> None:
    pytest.importorskip("sklearn")
    rows = np.array(list(themes(120).values()), np.float32)
    assert project(rows[:30]).method == "pca"
    layout = project(rows[:60], aspect=1.5, seed=3)
    assert layout.method == "tsne"
    assert layout.neighbours == 10
    assert layout.trust > 0.9
    assert np.allclose(layout.places.max(axis=0) - layout.places.min(axis=0), (1.5, 1))
    assert np.array_equal(layout.places, project(rows[:60], aspect=1.5, seed=3).places)
    near = np.argsort(np.linalg.norm(layout.places[:, None] - layout.places, axis=2), axis=1)[:, 1]
    assert np.mean(near % 5 == np.arange(60) % 5) > 0.9  # five themes, in turn


@pytest.mark.parametrize("count", [2, 10_001])
def test_a_map_has_bounds(count: int) -> None:
    with pytest.raises(UsageError, match=f"not {count:,}"):
        project(np.ones((count, 3), np.float32))


def test_words_that_are_all_alike_have_a_map_too() -> None:
    layout = project(np.ones((5, 3), np.float32))
    assert np.isfinite(layout.places).all()
    assert layout.explained == 1


def test_a_word_near_two_belongs_to_the_nearer() -> None:
    # "both" is 10° from a and 30° from b; "far" is nearest to neither
    def at(degrees: float) -> list[float]:
        return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]

    vectors = vectors_of({"a": at(0), "b": at(40), "both": at(10), "far": at(180)})
    chosen = neighbourhoods(vectors, ["a", "b", "a"], count=1)
    assert dict(zip(chosen.words, chosen.groups, strict=True)) == {"a": "a", "b": "b", "both": "a"}
    assert neighbourhoods(vectors, ["a", "far"], count=0).words == ["a", "far"]
    assert neighbourhoods(vectors, ["b"], count=2, restrict=2).words == ["b", "a"]


def test_the_most_frequent_words_have_letters() -> None:
    vectors = vectors_of({word: [1, 0] for word in ["the", ",", "42", "of", "第3", "…"]})
    assert frequent(vectors, 9).words == ["the", "of", "第3"]
    assert frequent(vectors, 1).words == ["the"]


def test_clusters_are_the_themes_the_largest_first() -> None:
    pytest.importorskip("sklearn")
    rows = np.array(list(themes(57).values()), np.float32)
    members = cluster(scaled(rows), 5)
    by_theme = {(place % 5): members[place] for place in range(57)}
    assert all(members[place] == by_theme[place % 5] for place in range(57))
    assert np.bincount(members).tolist() == [12, 12, 11, 11, 11]
