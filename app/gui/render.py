"""Two renderers with one face: Open3D's OpenGL window off-screen, and rays where no OpenGL can be had.

Both take vertices that are already projected: x right and y down in pixels of the output, z growing away
from the eye in any unit. So no camera of Open3D is involved and both views project in plain numpy.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from app.gui.o3d import import_open3d
from model.cv import cv2

log = logging.getLogger(__name__)

EYE = 4.0
"""Distance of Open3D's fixed camera from the unit-deep scene."""


class Renderer(Protocol):
    """Draws one lit mesh into a picture with a transparent background."""

    name: str
    width: int
    height: int

    def draw(self, points: np.ndarray, faces: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """points (V, 3), faces (F, 3), colours (V, 3) in (0, 1] -> (H, W, 4) premultiplied RGBA uint8."""

    def close(self) -> None:
        """Free the window; the renderer cannot draw any more."""


_environment = threading.Lock()
"""All threads share the variables: two that hid them at once would give back each other's."""


@contextlib.contextmanager
def _without_display() -> Iterator[None]:
    """Hide the desktop from GLFW: on Wayland it would crash, without one Open3D takes EGL."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
    with _environment, tempfile.TemporaryDirectory() as empty:
        saved = {name: os.environ.pop(name) for name in names if name in os.environ}
        os.environ["XDG_RUNTIME_DIR"] = empty
        try:
            yield
        finally:
            del os.environ["XDG_RUNTIME_DIR"]
            os.environ.update(saved)


def _open_window(width: int, height: int) -> Any:
    """A hidden legacy Visualizer; raises RuntimeError where no OpenGL context can be made."""
    o3d = import_open3d()
    o3d.utility.set_verbosity_level(o3d.utility.VerbosityLevel.Error)
    window = o3d.visualization.Visualizer()
    guard = _without_display() if sys.platform == "linux" else contextlib.nullcontext()
    with guard:
        made = window.create_window("pointhmr", width, height, visible=False)
    if not made:
        raise RuntimeError("Open3D could not create an OpenGL context")
    option = window.get_render_option()
    option.mesh_shade_option = o3d.visualization.MeshShadeOption.Color
    option.light_on = False
    option.mesh_show_back_face = True
    option.background_color = np.zeros(3)
    return window


def warm_up() -> None:
    """Load the OpenGL driver by a window that nobody uses, so that the first real one opens in no time.

    May run in any thread on Linux; its window is gone before another thread makes one.
    """
    _open_window(32, 32).destroy_window()


class GlRenderer:
    """Open3D's legacy Visualizer, without smoothed edges. One thread only."""

    name = "OpenGL"

    def __init__(self, width: int, height: int) -> None:
        """Raises RuntimeError where no OpenGL context can be made."""
        self._o3d = import_open3d()
        self.width, self.height = max(width, 32), max(height, 32)
        self._window = _open_window(self.width, self.height)
        self._mesh: Any = None
        self._faces: np.ndarray | None = None

    def draw(self, points: np.ndarray, faces: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """See `Renderer`."""
        vectors = self._o3d.utility.Vector3dVector
        placed, lit = vectors(self._place(points)), vectors(np.asarray(colours, np.float64))
        if self._mesh is None or self._faces is not faces:
            self._replace(placed, faces, lit)
        else:
            self._mesh.vertices, self._mesh.vertex_colors = placed, lit
            self._window.update_geometry(self._mesh)
        return _transparent(np.asarray(self._window.capture_screen_float_buffer(do_render=True)))

    def _place(self, points: np.ndarray) -> np.ndarray:
        """Pixels and depth -> camera space of the fixed camera, so that each lands on its pixel."""
        depth = points[:, 2].astype(np.float64)
        low, high = (float(depth.min()), float(depth.max())) if len(depth) else (0.0, 1.0)
        z = EYE + (depth - low) / max(high - low, 1e-9)
        placed = np.empty((len(points), 3))
        placed[:, 0] = (points[:, 0] - self.width / 2) * (z / (EYE * self.height))
        placed[:, 1] = (points[:, 1] - self.height / 2) * (z / (EYE * self.height))
        placed[:, 2] = z
        return placed

    def _replace(self, placed: Any, faces: np.ndarray, colours: Any) -> None:
        self._window.clear_geometries()
        self._mesh = self._o3d.geometry.TriangleMesh(
            placed, self._o3d.utility.Vector3iVector(np.asarray(faces, np.int32))
        )
        self._mesh.vertex_colors = colours
        self._faces = faces
        self._window.add_geometry(self._mesh)
        self._look()

    def _look(self) -> None:
        control = self._window.get_view_control()
        real = control.convert_to_pinhole_camera_parameters().intrinsic
        camera = self._o3d.camera.PinholeCameraParameters()
        camera.extrinsic = np.eye(4)
        focal = EYE * real.height
        camera.intrinsic = self._o3d.camera.PinholeCameraIntrinsic(
            real.width, real.height, focal, focal, real.width / 2 - 0.5, real.height / 2 - 0.5
        )
        control.convert_from_pinhole_camera_parameters(camera, True)
        control.set_constant_z_near(EYE - 0.5)
        control.set_constant_z_far(EYE + 1.5)

    def close(self) -> None:
        """See `Renderer`."""
        if self._window is not None:
            self._window.destroy_window()
            self._window = None


def _transparent(picture: np.ndarray) -> np.ndarray:
    """(h, w, 3) floats in [0, 1] on black -> (h, w, 4) uint8 RGBA, clear where nothing was drawn."""
    rgba = cv2.cvtColor(cv2.convertScaleAbs(picture, alpha=255), cv2.COLOR_RGB2RGBA)
    mask = cv2.threshold(cv2.extractChannel(rgba, 0), 0, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.insertChannel(mask, rgba, 3))


class RayRenderer:
    """Open3D's ray casting on the CPU: slower and without smoothed edges, but it works everywhere."""

    name = "software rays"

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 32), max(height, 32)

    def draw(self, points: np.ndarray, faces: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """See `Renderer`."""
        scene = ray_scene(points, faces)
        x, y = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        start = float(points[:, 2].min()) - 1.0 if len(points) else 0.0
        rays = np.zeros((self.height, self.width, 6), np.float32)
        rays[..., 0], rays[..., 1], rays[..., 2], rays[..., 5] = x, y, start, 1.0
        hit = _cast(scene, rays)
        triangle = hit["primitive_ids"].numpy()
        seen = triangle != np.uint32(scene.INVALID_ID)
        corner = faces[triangle[seen]]
        u, v = np.moveaxis(hit["primitive_uvs"].numpy()[seen], -1, 0)
        weights = np.stack([1 - u - v, u, v], axis=1)
        picture = np.zeros((self.height, self.width, 4), np.uint8)
        picture[seen, :3] = ((colours[corner] * weights[..., None]).sum(axis=1) * 255).astype(np.uint8)
        picture[seen, 3] = 255
        return picture

    def close(self) -> None:
        """See `Renderer`."""


def ray_scene(points: np.ndarray, faces: np.ndarray) -> Any:
    """Open3D's `RaycastingScene` of one mesh."""
    o3d = import_open3d()
    scene = o3d.t.geometry.RaycastingScene()
    tensor: Any = o3d.core.Tensor
    scene.add_triangles(
        tensor(np.ascontiguousarray(points, np.float32)), tensor(np.ascontiguousarray(faces, np.uint32))
    )
    return scene


def _cast(scene: Any, rays: np.ndarray) -> dict[str, Any]:
    """What the rays (..., 6) float32 hit."""
    tensor: Any = import_open3d().core.Tensor
    hit: dict[str, Any] = scene.cast_rays(tensor(rays))
    return hit


def pick_vertex(points: np.ndarray, faces: np.ndarray, x: float, y: float) -> int:
    """The vertex nearest to the surface seen at pixel (x, y) of projected `points`, or -1."""
    if len(points) == 0:
        return -1
    scene = ray_scene(points, faces)
    start = float(points[:, 2].min()) - 1.0
    hit = _cast(scene, np.array([[x, y, start, 0, 0, 1]], np.float32))
    triangle = int(hit["primitive_ids"].numpy()[0])
    if triangle == int(scene.INVALID_ID):
        return -1
    u, v = hit["primitive_uvs"].numpy()[0]
    return int(faces[triangle][int(np.argmax([1 - u - v, u, v]))])


def create_renderer(width: int, height: int) -> Renderer:
    """OpenGL where there is one, else rays."""
    try:
        return GlRenderer(width, height)
    except (RuntimeError, OSError) as error:
        log.warning("no OpenGL (%s): drawing the mesh with rays instead", error)
        return RayRenderer(width, height)


def describe_renderer() -> str:
    """Which renderer this machine has, tried out, in a few words."""
    renderer = create_renderer(64, 64)
    triangle = np.array([[8.0, 8, 0], [56, 8, 0], [32, 56, 0]])
    picture = renderer.draw(triangle, np.array([[0, 1, 2]], np.int32), np.full((3, 3), 0.8))
    renderer.close()
    drawn = "draws" if picture[..., 3].any() else "gives a black picture"
    return f"Open3D with {renderer.name}, {drawn}"
