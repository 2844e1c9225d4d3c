"""The window's arithmetic: heatmaps, cameras, places, colours, and both renderers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QPointF, QRectF

from app.export.colours import part_colours
from app.export.people import placements
from app.gui.colours import MAP_NAMES, PIN_COLOURS, colour_map
from app.gui.heatmaps import enlarge, heatmap_stats, heatmap_to_picture, tint
from app.gui.orbit import Orbit
from app.gui.overlay import heat_layers, mesh_layer
from app.gui.pins import LIMIT, Pins
from app.gui.render import GlRenderer, RayRenderer, pick_vertex
from app.gui.scene import COLOUR_BY, albedo
from app.gui.shading import Topology, shade
from app.gui.studio import FAINT, Studio
from app.gui.viewport import Viewport
from tests.app import gui_fakes


def hill(x: float, y: float, sigma: float = 2.0, n: int = 64) -> np.ndarray:
    grid = np.arange(n)
    return np.exp(-((grid - x) ** 2 + (grid[:, None] - y) ** 2) / (2 * sigma**2))


def test_spread_of_a_round_hill_is_its_radius_in_crop_pixels() -> None:
    heatmap = hill(30, 20, 2.0)
    stats = heatmap_stats(heatmap / heatmap.sum(), 256)
    assert stats.spread == pytest.approx(2.0 * np.sqrt(2) * 4, rel=0.02)
    assert stats.modes == 1
    assert stats.peak == pytest.approx(1 / (2 * np.pi * 4), rel=0.02)


def test_a_second_far_hill_is_a_second_mode_and_a_faint_one_is_not() -> None:
    assert heatmap_stats(hill(15, 20) + 0.6 * hill(50, 40), 256).modes == 2
    assert heatmap_stats(hill(15, 20) + 0.1 * hill(50, 40), 256).modes == 1


@pytest.mark.parametrize("broken", [np.zeros((64, 64)), np.full((64, 64), np.nan)])
def test_a_dead_heatmap_has_no_modes(broken: np.ndarray) -> None:
    assert heatmap_stats(broken, 256).modes == 0


def test_a_hill_lands_on_its_vertex_in_the_picture() -> None:
    person = gui_fakes.person()
    coarse = 17
    vertex = gui_fakes.body()["coarse"][coarse]
    picture = enlarge(person.heatmaps[coarse], 192)
    y, x = np.unravel_index(picture.argmax(), picture.shape)
    affine = heatmap_to_picture(person.crop.matrix, person.crop.size, 192)
    found = affine @ [x + 0.5, y + 0.5, 1.0]
    expected = person.project(person.vertices[vertex : vertex + 1])[0]
    cell = 1.25 * max(person.box.width, person.box.height) / 64
    assert np.abs(found - expected).max() < cell


def test_tint_is_premultiplied_and_clear_where_nothing_is() -> None:
    rgba = tint(np.array([[0.0, 0.25, 1.0]]), np.array([1.0, 0.5, 0.0]))
    assert rgba[0, 0].tolist() == [0, 0, 0, 0]
    assert rgba[0, 2].tolist() == [255, 127, 0, 255]
    assert (rgba[..., :3] <= rgba[..., 3:]).all()


@pytest.mark.parametrize("name", MAP_NAMES)
def test_colour_maps_get_steadily_lighter(name: str) -> None:
    lightness = colour_map(name, np.linspace(0, 1, 50)) @ [0.3, 0.59, 0.11]
    assert (np.diff(lightness) > -1e-3).all()
    assert lightness[-1] - lightness[0] > 0.5


def test_parts_can_be_told_apart() -> None:
    colours = part_colours(gui_fakes.PARTS)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 0.04


def test_default_pins_are_the_tips() -> None:
    info, vertices = gui_fakes.model_info(), gui_fakes.body()["vertices"]
    head, left_hand, right_hand, left_foot, right_foot = (vertices[v] for v in info.default_pins())
    assert head[1] < -0.45
    assert left_hand[0] > 0.65 and right_hand[0] < -0.65
    assert left_foot[1] > 0.85 and right_foot[1] > 0.85


def test_a_fitted_camera_shows_every_vertex_from_every_side() -> None:
    points = gui_fakes.body()["vertices"] - [0, gui_fakes.body()["vertices"][:, 1].max(), 0]
    orbit = Orbit()
    orbit.fit(points)
    for side in ("front", "side", "top"):
        orbit.look(side)
        pixels = orbit.project(points, 500, 400)
        assert (pixels[:, 0] > 0).all() and (pixels[:, 0] < 500).all()
        assert (pixels[:, 1] > 0).all() and (pixels[:, 1] < 400).all()


def test_front_is_as_the_photographer_saw_it() -> None:
    orbit = Orbit()
    orbit.look("front")
    left, right, up, near = orbit.project(
        np.array([[-0.5, -1, 0], [0.5, -1, 0], [0, -1.5, 0], [0, -1, -0.5]]), 400, 400
    )
    assert left[0] < right[0]
    assert up[1] < left[1]
    assert near[2] < left[2]


def test_panning_moves_the_scene_with_the_mouse() -> None:
    orbit = Orbit()
    before = orbit.project(orbit.target[None], 400, 400)[0]
    spot = orbit.target.copy()
    orbit.pan(30, -20, 400, 400)
    after = orbit.project(spot[None], 400, 400)[0]
    assert np.allclose(after[:2] - before[:2], [30, -20], atol=0.5)


def test_one_person_stands_in_the_middle_and_several_apart() -> None:
    assert placements([gui_fakes.person()], 640).tolist() == [[0, 0, 0]]
    crowd = [gui_fakes.person(i, (100.0, 300.0 + i, 240.0)) for i in range(3)]
    spots = placements(crowd, 640)
    assert np.diff(np.sort(spots[:, 0])).min() > 0.7
    assert abs(spots[:, 0].min() + spots[:, 0].max()) < 1e-9


def test_order_in_the_picture_is_kept_on_the_stage() -> None:
    crowd = [gui_fakes.person(0, (100, 500, 240)), gui_fakes.person(1, (100, 100, 240))]
    spots = placements(crowd, 640)
    assert spots[1, 0] < spots[0, 0]


@pytest.mark.parametrize("name", COLOUR_BY)
def test_every_way_to_colour_gives_a_colour_a_vertex(name: str) -> None:
    colours = albedo(gui_fakes.person(), gui_fakes.model_info(), name)
    assert colours.shape == (6890, 3)
    assert np.isfinite(colours).all() and colours.min() >= 0 and colours.max() <= 1


def test_zoom_keeps_the_point_under_the_pointer_and_fitting_undoes_it() -> None:
    port = Viewport()
    port.set_sizes(1920, 1080, 500, 500)
    fitted = port.place()
    assert fitted.width() == pytest.approx(500) and fitted.height() == pytest.approx(281.25)
    spot = QPointF(200, 240)
    under = port.to_picture(spot)
    port.zoom_at(spot, 4.0)
    assert (port.to_picture(spot) - under).manhattanLength() < 1e-6
    port.reset()
    assert port.place() == fitted


def test_a_picture_cannot_be_dragged_out_of_sight() -> None:
    port = Viewport()
    port.set_sizes(640, 480, 640, 480)
    port.zoom_at(QPointF(320, 240), 2.0)
    port.pan(QPointF(5000, -5000))
    assert port.visible() == QRectF(0, 240, 320, 240)


def test_pins_keep_their_colour_and_never_grow_too_many(qapp) -> None:
    pins = Pins()
    pins.reset([1, 2, 3])
    pins.remove(2)
    pins.add(9)
    assert [(p.vertex, p.slot) for p in pins.items] == [(1, 0), (3, 2), (9, 1)]
    for vertex in range(100, 130):
        pins.add(vertex)
    assert len(pins.items) == LIMIT
    assert len({p.slot for p in pins.items}) == LIMIT
    assert len(PIN_COLOURS) >= LIMIT, "as many colours as pins"


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Body in pixels of a 200 x 240 picture, faces, lit colours."""
    data = gui_fakes.body()
    points = data["vertices"].astype(float) * 110 + [100, 110, 0]
    surface = Topology(data["faces"], len(points)).surface(data["vertices"])
    return points, data["faces"], shade(surface.normals, np.full((1, 3), 0.8), surface.creases)


@pytest.mark.parametrize("kind", [GlRenderer, RayRenderer])
def test_both_renderers_put_the_body_where_it_is(kind, drawn) -> None:
    points, faces, colours = drawn
    renderer = kind(200, 240)
    picture = renderer.draw(points, faces, colours)
    renderer.close()
    assert picture.shape == (240, 200, 4)
    rows, columns = np.nonzero(picture[..., 3] > 127)
    assert np.allclose([columns.min(), columns.max() + 1], [points[:, 0].min(), points[:, 0].max()], atol=2)
    assert np.allclose([rows.min(), rows.max() + 1], [points[:, 1].min(), points[:, 1].max()], atol=2)
    assert picture[110, 100, :3].mean() > 60, "the belly is lit"


def test_a_ray_picks_the_nearest_vertex_of_the_near_side(drawn) -> None:
    points, faces, _ = drawn
    vertex = pick_vertex(points, faces, 100.3, 110.2)
    assert np.linalg.norm(points[vertex, :2] - [100.3, 110.2]) < 5
    assert points[vertex, 2] < 0
    assert pick_vertex(points, faces, 2, 2) == -1


def test_normals_of_a_ball_point_outwards_and_a_fold_is_a_crease() -> None:
    ball = trimesh.creation.icosphere(3)
    surface = Topology(ball.faces, len(ball.vertices)).surface(ball.vertices)
    assert np.allclose(surface.normals, ball.vertices, atol=0.02)
    assert surface.creases.max() < 0, "a ball has no hollow"
    dented = np.array(ball.vertices)
    dented[:, 2] = np.where(dented[:, 2] > 0.3, 0.6 - dented[:, 2], dented[:, 2])
    hollow = ball.vertices[:, 2] > 0.7
    creases = Topology(ball.faces, len(dented)).surface(dented).creases
    assert creases[hollow].min() > 0 and creases[ball.vertices[:, 2] < 0].max() < 0


@pytest.fixture
def studio(qapp) -> Iterator[Studio]:
    """Open, with the free body."""
    made = Studio()
    made.set_model_info(gui_fakes.model_info())
    made.open()
    yield made
    made.close()


@pytest.mark.parametrize("fine", [False, True])
def test_the_overlay_covers_the_person_in_the_picture(studio: Studio, fine: bool) -> None:
    person = gui_fakes.person()
    layer = mesh_layer(studio, [person], QRectF(0, 0, 640, 480), 1.0, fine, (640, 480))
    assert layer is not None
    assert QRectF(0, 0, 640, 480).contains(layer.place)
    if fine:
        assert abs(layer.image.width() - layer.place.width()) <= 1, "scaled to the screen's pixels"
    belly = person.project(person.vertices[:1] * 0)[0]
    scale = layer.image.width() / layer.place.width()
    x, y = (belly - [layer.place.left(), layer.place.top()]) * scale
    assert layer.image.pixelColor(round(x), round(y)).alpha() == 255
    assert layer.image.pixelColor(3, layer.image.height() - 4).alpha() == 0


def test_what_the_picture_does_not_show_is_faded(studio: Studio) -> None:
    """A person whose legs lie below the picture: the head is opaque in both views, the feet are faint."""
    person, size = gui_fakes.person(), (640, 260)
    assert studio.opacity([person], (640, 480)) is None, "all of the body is there"
    opacity = studio.opacity([person], size)
    assert opacity is not None
    lowest, highest = np.argmax(person.vertices[:, 1]), np.argmin(person.vertices[:, 1])
    assert opacity[highest] == 1 and opacity[lowest] == pytest.approx(FAINT)
    layer = mesh_layer(studio, [person], QRectF(0, 0, 640, 480), 1.0, True, size)
    assert layer is not None
    alphas = []
    for vertex in (highest, lowest):
        spot = 0.9 * person.project(person.vertices[[vertex]])[0] + 0.1 * np.array(person.camera[1:])
        x, y = (spot - [layer.place.left(), layer.place.top()]) * layer.image.width() / layer.place.width()
        alphas.append(layer.image.pixelColor(round(float(x)), round(float(y))).alpha())
    assert alphas[0] == 255 and 20 < alphas[1] < 80
    studio.fade = False
    assert studio.opacity([person], size) is None


def test_a_surface_is_computed_once_for_both_views_and_not_kept_for_ever(studio: Studio) -> None:
    first, second = gui_fakes.person(1), gui_fakes.person(2)
    both = studio.surfaces([first, second])
    assert all(a is b for a, b in zip(both, studio.surfaces([first, second]), strict=True))
    studio.surfaces([second])
    assert studio.surfaces([second, first])[0] is both[1]
    assert studio.surfaces([second, first])[1] is not both[0]


def test_a_heat_layer_holds_its_hill_and_little_else(qapp) -> None:
    person, info = gui_fakes.person(), gui_fakes.model_info()
    pins = Pins()
    pins.reset(info.default_pins()[:1])
    (layer,) = heat_layers(person, info, pins.items, "Pin colours")
    assert layer.image.width() < 60 and layer.image.height() < 60
    expected = person.project(person.vertices[list(pins.vertices)])[0]
    middle = layer.transform.map(QPointF(layer.image.width() / 2, layer.image.height() / 2))
    assert np.abs(expected - [middle.x(), middle.y()]).max() < 12
