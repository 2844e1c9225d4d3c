"""Upsampling fitted to posed people."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

import assets
from assets.build.body.posed import mirrored_people
from model.hierarchy import Hierarchy, load_hierarchy
from model.upsampling import Mirrors, fitted_up
from tests.model.test_body_assets import volume

MIRROR = np.array([1, 0, 3, 2, 4])
FINE_MIRROR = np.array([1, 0, 3, 2, 4, 6, 5])


def test_an_exact_sum_of_neighbours_is_found() -> None:
    """Five vertices stay; a pair lies off every face of the coarser mesh, on its own sum of four of them."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(60, 5, 3))
    flip = np.array([-1.0, 1, 1])
    coarse = np.concatenate([half, half[:, MIRROR] * flip])
    true = np.zeros((7, 5))
    true[:5] = np.eye(5)
    true[5, :4] = 0.9, -0.4, 0.3, 0.2
    true[6] = true[5][MIRROR]
    fine = np.einsum("fc,ncd->nfd", true, coarse)
    start = np.eye(7, 5)
    start[5, 0] = start[6, 1] = 0.5
    start[5, 4] = start[6, 4] = 0.5
    up = fitted_up(fine, coarse, sp.csr_matrix(start), 5, Mirrors(FINE_MIRROR, MIRROR)).toarray()
    np.testing.assert_allclose(up, true, atol=1e-3)
    np.testing.assert_allclose(up.sum(axis=1), 1)
    np.testing.assert_array_equal(up[:5], np.eye(5))
    np.testing.assert_array_equal(up, up[FINE_MIRROR][:, MIRROR])


def check_thickness(hierarchy: Hierarchy) -> np.ndarray:
    """Free people whom the fit did not see keep their volume; (N, V) metres that their vertices move."""
    with np.load(assets.BODY / "body.npz") as body:
        people = mirrored_people(body, np.random.default_rng(77))[::16].astype(float)
    back = [hierarchy.fine_from_coarse @ (hierarchy.coarse_from_fine @ person) for person in people]
    errors = np.linalg.norm(np.stack(back) - people, axis=2)
    assert errors.mean() < 0.0025
    faces = hierarchy.faces[0]
    shares = [volume(one, faces) / volume(person, faces) for one, person in zip(back, people, strict=True)]
    assert abs(np.mean(shares) - 1) < 0.01 and min(shares) > 0.97 and max(shares) < 1.02
    return errors


def test_people_come_back_from_the_coarse_mesh_as_thick_as_they_were() -> None:
    """On the flat faces of the coarse mesh they lost 8 % of their volume."""
    assert np.percentile(check_thickness(load_hierarchy()), 95) < 0.007
