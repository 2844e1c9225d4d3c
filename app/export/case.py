"""One frame kept as a folder with all that was found in it, and opened again bit for bit.

`frame.png` the picture, `arrays.npz` meshes, heatmaps, tokens and the topology they belong to (no pickles),
`case.json` the rest: people, masks, settings, reasons, versions. Nothing else is needed to show it.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.pipeline.diagnostics import Diagnostics, Flag
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox, Record, Study, hops_of
from app.pipeline.pictures import SourceError, read_picture
from app.pipeline.pipeline import fault_of
from model.array_files import MAX_BYTES, save_npz
from model.cv import cv2
from model.errors import UserError
from model.json_text import parse_json
from model.temporaries import temporary_folder

if TYPE_CHECKING:
    from model.pointhmr import Features

FORMAT, VERSION = "PointHMR case", 1
ABOUT, PICTURE, ARRAYS = "case.json", "frame.png", "arrays.npz"
TOPOLOGY = ("faces", "coarse_faces", "coarse_of_vertex", "vertex_of_coarse", "part_of_vertex", "hops")
_MESH = ("vertices", "coarse", "joints3d", "joints2d")
_FEATURES = ("heatmaps", "vertex_tokens", "grid_tokens", "landmarks", "presence")
_NEEDED = 3
"""So many of the features are always there."""


@dataclass(frozen=True)
class CaseModel:
    """The model that made a case: who it is, and the mesh that its numbers mean."""

    name: str
    sha256: str
    body: str
    part_names: tuple[str, ...]
    diameter: int
    arrays: dict[str, np.ndarray]
    """By the names of `TOPOLOGY`, see `app.gui.model_info.ModelInfo`."""


@dataclass(frozen=True)
class Case:
    """A frame with its people, and how it was looked at."""

    record: Record
    model: CaseModel
    chosen: int | None = None
    """The person whom it is about."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Plain JSON, such as the pinned vertices."""
    versions: str = ""
    """Of the program and its packages, for people."""


def is_case(path: str | Path) -> bool:
    """Whether a path is a folder that says it holds a case."""
    return (Path(path) / ABOUT).is_file()


def save_case(folder: Path, case: Case) -> None:
    """Write a case, whole or not at all. Raises UserError when the folder is there, or the disk refuses."""
    if folder.exists():
        raise UserError(f"{folder} is there already.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder) as temporary:
            _write(temporary, case)
            temporary.chmod(0o755)
            temporary.rename(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _write(folder: Path, case: Case) -> None:
    record, model = case.record, case.model
    good, png = cv2.imencode(".png", cv2.cvtColor(record.frame.image, cv2.COLOR_RGB2BGR))
    if not good:
        raise UserError("The picture cannot be encoded.")
    (folder / PICTURE).write_bytes(png.tobytes())
    arrays = dict(model.arrays)
    for group, people in (("person", record.people), ("baseline", record.baseline)):
        for number, person in enumerate(people):
            arrays |= {f"{group}{number}_{name}": value for name, value in _arrays_of(person).items()}
    for number, box in enumerate(record.others):
        if box.keypoints is not None:
            arrays[f"other{number}_keypoints"] = np.asarray(box.keypoints, np.float64)
    save_npz(folder / ARRAYS, arrays)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "versions": case.versions,
        "model": {
            "name": model.name,
            "sha256": model.sha256,
            "body": model.body,
            "parts": list(model.part_names),
            "diameter": model.diameter,
        },
        "frame": {"index": record.frame.index, "time": record.frame.time, "source": record.frame.source},
        "masks": list(record.hops),
        "baseline_masks": list(record.study.baseline) if record.study.baseline is not None else None,
        "baseline_plain": record.study.baseline_plain,
        "isolate": record.isolate,
        "mirror": record.mirror,
        "chosen": case.chosen,
        "settings": case.settings,
        "people": [_about(person) for person in record.people],
        "baseline": [_about(person) for person in record.baseline],
        "others": [_about_box(box) for box in record.others],
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _arrays_of(person: Person) -> dict[str, np.ndarray]:
    arrays = {name: getattr(person, name) for name in _MESH}
    arrays["crop"] = np.asarray(person.crop.matrix, np.float64)
    if person.network_joints is not None:
        arrays["network_joints"] = person.network_joints
    if person.box.keypoints is not None:
        arrays["keypoints"] = np.asarray(person.box.keypoints, np.float64)
    for name in _FEATURES:
        tensor = getattr(person.features, name, None)
        if tensor is not None:
            arrays[f"feature_{name}"] = tensor.detach().cpu().numpy()
    return arrays


def _about_box(box: PersonBox) -> dict[str, Any]:
    return {
        "id": int(box.id),
        "box": [float(value) for value in box.xywh],
        "score": float(box.score),
    }


def _about(person: Person) -> dict[str, Any]:
    told = person.diagnostics
    return _about_box(person.box) | {
        "crop_size": int(person.crop.size),
        "camera": [float(value) for value in person.camera],
        "presence": float(person.presence),
        "diagnostics": dataclasses.asdict(told) if told is not None else None,
    }


def load_case(folder: Path) -> Case:
    """Read a case. Raises UserError in one sentence for anything that is not a whole one."""
    try:
        about = parse_json((folder / ABOUT).read_text(encoding="utf-8"))
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError("it does not say that it is one")
        if about.get("version") != VERSION:
            raise UserError(f"{folder} is a case of another version than {VERSION}.")
        return _read(folder, about)
    except (FileNotFoundError, SourceError) as error:
        raise UserError(f"{folder} is not a whole case: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{folder} holds damaged arrays.") from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise UserError(f"{folder} is not a case of this program: {error}.") from error


def _read(folder: Path, about: dict[str, Any]) -> Case:
    arrays = _read_arrays(folder / ARRAYS)
    told, frame = about["model"], about["frame"]
    model = CaseModel(
        str(told["name"]),
        str(told["sha256"]),
        str(told["body"]),
        tuple(str(name) for name in told["parts"]),
        int(told["diameter"]),
        {name: arrays[name] for name in TOPOLOGY},
    )
    _check(model)
    picture = read_picture(folder / PICTURE)
    people, baseline = (
        tuple(_person(arrays, f"{group}{n}_", one, model) for n, one in enumerate(about[key]))
        for group, key in (("person", "people"), ("baseline", "baseline"))
    )
    other = about["baseline_masks"]
    record = Record(
        Frame(picture, int(frame["index"]), float(frame["time"]), str(frame["source"])),
        people,
        _hops(about["masks"]),
        others=tuple(
            _box(one, arrays.get(f"other{n}_keypoints")) for n, one in enumerate(about.get("others", []))
        ),
        study=Study(
            baseline=_hops(other) if other is not None else None,
            baseline_plain=other is not None and bool(about.get("baseline_plain", False)),
        ),
        baseline=baseline,
        isolate=bool(about["isolate"]),
        mirror=bool(about.get("mirror", False)),
    )
    settings = about["settings"] if isinstance(about["settings"], dict) else {}
    chosen = None if about["chosen"] is None else int(about["chosen"])
    return Case(record, model, chosen, settings, str(about["versions"]))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
            raise UserError(f"{path} would unpack to more than {MAX_BYTES >> 30} GiB.")
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def _check(model: CaseModel) -> None:
    """Every index of the topology must point at something: views draw what it says without looking."""
    full, coarse = len(model.arrays["part_of_vertex"]), len(model.arrays["vertex_of_coarse"])
    limits = {
        "faces": ((None, 3), full),
        "coarse_faces": ((None, 3), coarse),
        "coarse_of_vertex": ((full,), coarse),
        "vertex_of_coarse": ((coarse,), full),
        "part_of_vertex": ((full,), len(model.part_names)),
        "hops": ((coarse, coarse), np.inf),
    }
    for name, (shape, end) in limits.items():
        array = model.arrays[name]
        fits = array.ndim == len(shape) and all(
            b in (None, a) for a, b in zip(array.shape, shape, strict=True)
        )
        if (
            not fits
            or array.dtype.kind not in "iu"
            or array.size == 0
            or array.min() < 0
            or array.max() >= end
        ):
            raise ValueError(f"its {name} point nowhere")


def _person(arrays: dict[str, np.ndarray], prefix: str, about: dict[str, Any], model: CaseModel) -> Person:
    def array(name: str) -> np.ndarray | None:
        return arrays.get(prefix + name)

    scale, tx, ty = (float(value) for value in about["camera"])
    crop = np.asarray(arrays[f"{prefix}crop"])
    if crop.shape != (2, 3) or not np.isfinite(crop).all() or not 1 <= int(about["crop_size"]) <= 1 << 14:
        raise ValueError("a crop is impossible")
    person = Person(
        box=_box(about, array("keypoints")),
        crop=Crop(crop, int(about["crop_size"])),
        vertices=arrays[f"{prefix}vertices"],
        coarse=arrays[f"{prefix}coarse"],
        joints3d=arrays[f"{prefix}joints3d"],
        joints2d=arrays[f"{prefix}joints2d"],
        camera=(scale, tx, ty),
        presence=float(about["presence"]),
        features=_features({name: array(f"feature_{name}") for name in _FEATURES}, model),
        network_joints=array("network_joints"),
        diagnostics=_diagnostics(about["diagnostics"]),
    )
    fault = fault_of(person)
    sizes = len(model.arrays["part_of_vertex"]), len(model.arrays["vertex_of_coarse"])
    if fault is not None or (len(person.vertices), len(person.coarse)) != sizes:
        raise ValueError(fault or "its meshes are of another body")
    return person


def _box(about: dict[str, Any], keypoints: np.ndarray | None) -> PersonBox:
    x, y, width, height = (float(value) for value in about["box"])
    if not np.isfinite([x, y, width, height]).all():
        raise ValueError("a box is impossible")
    return PersonBox(x, y, width, height, float(about["score"]), int(about["id"]), keypoints)


def _features(arrays: dict[str, np.ndarray | None], model: CaseModel) -> Features:
    """What the masks need, as tensors that share no memory with the file."""
    import torch

    from model.pointhmr import Features

    count = len(model.arrays["vertex_of_coarse"])
    for name in _FEATURES[:_NEEDED]:
        found = arrays[name]
        if found is None or found.dtype.kind != "f" or found.shape[0] not in (1, 2):
            raise ValueError(f"its {name} are missing")
    heatmaps = arrays["heatmaps"]
    if (
        heatmaps is None
        or heatmaps.ndim != 4
        or heatmaps.shape[1] != count
        or heatmaps.shape[2] != heatmaps.shape[3]
    ):
        raise ValueError("its heatmaps are of another mesh")
    return Features(**{n: torch.from_numpy(a.copy()) for n, a in arrays.items() if a is not None})


def _diagnostics(about: dict[str, Any] | None) -> Diagnostics | None:
    if about is None:
        return None
    flags = tuple(Flag(str(f["kind"]), str(f["reason"]), float(f["severity"])) for f in about["flags"])
    known = {item.name for item in dataclasses.fields(Diagnostics)} - {"flags"}
    numbers = {
        name: None if value is None else float(value) for name, value in about.items() if name in known
    }
    return Diagnostics(**numbers, flags=flags)  # type: ignore[arg-type]


def _hops(values: list[int | None]) -> Hops:
    return hops_of(None if value is None else int(value) for value in values)
