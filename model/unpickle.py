"""Reads pickles of arrays without running anything that they ask for.

Body models and mesh hierarchies of this field travel as Python 2 pickles of numpy arrays, scipy matrices and
chumpy objects. Every class that such a pickle may name is replaced by an inert stand-in that only remembers
what it was given; the arrays are built afterwards from checked plain data. Any other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from model.errors import UserError

if TYPE_CHECKING:
    import scipy.sparse as sp

MAX_DEPTH = 100
_PLAIN_DTYPE = frozenset("?bhilqpBHILQPefdgFDSU")


class RefusedError(UserError):
    """The pickle asks for something that is not on the list."""


class Unreadable:
    """Stands where a pickle has a chumpy expression that is not evaluated here."""

    def __init__(self, name: str) -> None:
        self.name = name


class _StandIn:
    """Takes any arguments and any state, and does nothing with them."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def value(self, resolve: Callable[[Any], Any]) -> Any:
        """What the pickled object stood for; `resolve` turns its parts into plain values."""
        raise RefusedError(f"a {type(self).__name__.lstrip('_')} cannot stand alone in a pickle of arrays.")


class _Dtype(_StandIn):
    """numpy.dtype(code, align, copy) with state (version, byte order, subarray, names, fields, ...)."""

    def value(self, resolve: Callable[[Any], Any]) -> np.dtype[Any]:
        code = _text(self.args[0])
        state = tuple(self.state or ())
        if any(part is not None for part in state[2:5]):
            raise RefusedError("structured arrays are not read.")
        if code[:1] == "O":
            return np.dtype(object)
        dtype = np.dtype(code)
        if dtype.char not in _PLAIN_DTYPE:
            raise RefusedError(f"arrays of type {code!r} are not read.")
        order = _text(state[1]) if len(state) > 1 else "="
        return dtype.newbyteorder("<" if order == "<" else ">") if order in ("<", ">") else dtype


class _NdarrayClass(_StandIn):
    """The class numpy.ndarray, which only names itself in a pickle."""


class _Array(_StandIn):
    """numpy's _reconstruct(ndarray, (0,), 'b') with state (version, shape, dtype, Fortran order, data)."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        shape, dtype, fortran, data = tuple(self.state)[-4:]
        return _build(resolve(dtype), tuple(shape), "F" if fortran else "C", data, resolve)


class _Buffer(_StandIn):
    """numpy's _frombuffer(data, dtype, shape, order), as protocol 5 has it."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        data, dtype, shape, order = self.args
        return _build(resolve(dtype), tuple(shape), "F" if order == "F" else "C", data, resolve)


class _Scalar(_StandIn):
    """numpy's scalar(dtype, data)."""

    def value(self, resolve: Callable[[Any], Any]) -> Any:
        dtype, data = self.args
        return _build(resolve(dtype), (), "C", data, resolve)[()]


class _Sparse(_StandIn):
    """A scipy matrix: its state is the dictionary of its parts."""

    layout = ""

    def value(self, resolve: Callable[[Any], Any]) -> sp.csr_matrix | sp.csc_matrix | sp.coo_matrix:
        import scipy.sparse as sp

        state = self.state
        shape = tuple(int(n) for n in resolve(state["_shape"] if "_shape" in state else state["shape"]))
        data = resolve(state["data"])
        if self.layout == "coo":
            index = resolve(state["coords"]) if "coords" in state else (state["row"], state["col"])
            return sp.coo_matrix((data, tuple(resolve(part) for part in index)), shape=shape)
        parts = (data, resolve(state["indices"]), resolve(state["indptr"]))
        matrix = (
            sp.csr_matrix(parts, shape=shape) if self.layout == "csr" else sp.csc_matrix(parts, shape=shape)
        )
        # Indices beyond the shape would read foreign memory in scipy's compiled code.
        matrix.check_format(full_check=True)
        return matrix


class _Csr(_Sparse):
    layout = "csr"


class _Csc(_Sparse):
    layout = "csc"


class _Coo(_Sparse):
    layout = "coo"


class _ChumpyLeaf(_StandIn):
    """chumpy.Ch: a differentiable array around the plain one `x`."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        return np.asarray(resolve(self.state["x"]))


class _ChumpySelect(_StandIn):
    """chumpy's Select: flat entries `idxs` of `a`, in a preferred shape."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        picked = np.asarray(resolve(self.state["a"])).ravel()[np.asarray(resolve(self.state["idxs"]))]
        shape = self.state.get("preferred_shape")
        return picked if shape is None else picked.reshape(tuple(int(n) for n in resolve(shape)))


class _ChumpyReshape(_StandIn):
    """chumpy's Reshape of `a` to `newshape`."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        shape = np.atleast_1d(resolve(self.state["newshape"]))
        return np.asarray(resolve(self.state["a"])).reshape([int(n) for n in shape])


class _ChumpyTranspose(_StandIn):
    """chumpy's Transpose of `a`."""

    def value(self, resolve: Callable[[Any], Any]) -> np.ndarray:
        axes = self.state.get("axes")
        return np.asarray(resolve(self.state["a"])).transpose(None if axes is None else resolve(axes))


class _ChumpyOther(_StandIn):
    """Any other chumpy expression; official files have some in members that nobody needs."""

    def value(self, resolve: Callable[[Any], Any]) -> Unreadable:
        return Unreadable(f"chumpy {type(self).__name__}")


class _Encoded(_StandIn):
    """_codecs.encode(text, 'latin1'): how Python 3 writes bytes for Python 2."""

    def value(self, resolve: Callable[[Any], Any]) -> bytes:
        return self.args[0].encode("latin1") if self.args else b""


class _ObjectClass(_StandIn):
    """The class object, which only names itself in a pickle."""


class _Reconstructed:
    """copyreg._reconstructor(class, object, None): how protocols 0 and 1 make an instance."""

    def __new__(cls, kind: Any, base: Any = None, state: Any = None) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, _StandIn)):
            raise RefusedError("an unknown kind of object is not made.")
        return kind()

    def __setstate__(self, state: Any) -> NoReturn:
        raise RefusedError("a constructor takes no state.")


_BUILTINS = {"set": set, "frozenset": frozenset, "list": list, "dict": dict, "tuple": tuple, "slice": slice}
_NUMPY = {"_reconstruct": _Array, "scalar": _Scalar, "_frombuffer": _Buffer}
_CHUMPY = {
    "Ch": _ChumpyLeaf,
    "Select": _ChumpySelect,
    "Reshape": _ChumpyReshape,
    "reshape": _ChumpyReshape,
    "Transpose": _ChumpyTranspose,
}
_SPARSE = {"csr": _Csr, "csc": _Csc, "coo": _Coo}


def _stand_in(module: str, name: str) -> Any:
    """What a pickle gets for the global `module.name`; None when it is not on the list."""
    package = module.split(".")[0]
    if package in ("builtins", "__builtin__"):
        return _ObjectClass if name == "object" else _Encoded if name == "bytes" else _BUILTINS.get(name)
    if package in ("copyreg", "copy_reg"):
        return _Reconstructed if name == "_reconstructor" else None
    if package == "numpy" and module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
        return {"dtype": _Dtype, "ndarray": _NdarrayClass}.get(name) or _NUMPY.get(name)
    if module in ("numpy.core.numeric", "numpy._core.numeric"):
        return _NUMPY.get(name)
    if package == "scipy" and module.startswith("scipy.sparse"):
        return _SPARSE.get(name[:3]) if name[3:] in ("_matrix", "_array") else None
    if package == "chumpy":
        return _CHUMPY.get(name) or type(name, (_ChumpyOther,), {})
    known = {("collections", "OrderedDict"): OrderedDict, ("_codecs", "encode"): _Encoded}
    return known.get((module, name))


class _ListedOnly(pickle.Unpickler):
    """An unpickler that hands out stand-ins, whatever the stream names."""

    def find_class(self, module: str, name: str) -> Any:
        found = _stand_in(module, name)
        if found is None:
            raise RefusedError(f"it asks for {module}.{name}, which is not on the list of what may be read.")
        return found


def loads(data: bytes, label: str) -> Any:
    """Plain Python containers, numpy arrays and scipy matrices out of a pickle of any protocol.

    label names the source in messages. Raises UserError when the pickle is broken or asks for anything else.
    """
    try:
        return _resolved(_ListedOnly(io.BytesIO(data), encoding="latin1").load())
    except RefusedError as error:
        raise UserError(f"{label} was refused: {error}") from error
    except Exception as error:
        # A broken or hostile stream can make the unpickler raise anything at all.
        raise UserError(f"{label} is not a readable pickle of arrays ({type(error).__name__}).") from error


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _build(
    dtype: np.dtype[Any], shape: tuple[int, ...], order: Any, data: Any, resolve: Callable[[Any], Any]
) -> np.ndarray:
    """An array of its own memory from raw bytes, or from a list of objects."""
    if dtype.hasobject:
        items = np.empty(len(data), dtype=object)
        for index, item in enumerate(data):
            items[index] = resolve(item)
        return items.reshape(shape, order=order)
    raw = resolve(data)
    if isinstance(raw, str):
        raw = raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray):
        raise RefusedError("an array's data are no bytes.")
    return np.frombuffer(raw, dtype).reshape(shape, order=order).copy(order=order)


def _resolved(root: Any) -> Any:
    """The value with every stand-in replaced by what it stands for; shared parts stay shared."""
    done: dict[int, Any] = {}
    open_parts: set[int] = set()

    def resolve(part: Any) -> Any:
        if not isinstance(part, _StandIn | dict | list | tuple | set | frozenset):
            if isinstance(part, type):
                raise RefusedError(f"the bare class {part.__name__.lstrip('_')} is no data.")
            return part
        if id(part) in open_parts or len(open_parts) > MAX_DEPTH:
            raise RefusedError("its parts contain each other.")
        if id(part) not in done:
            open_parts.add(id(part))
            done[id(part)] = convert(part)
            open_parts.remove(id(part))
        return done[id(part)]

    def convert(part: Any) -> Any:
        if isinstance(part, _StandIn):
            return part.value(resolve)
        if isinstance(part, dict):
            return {resolve(key): resolve(item) for key, item in part.items()}
        return type(part)(resolve(item) for item in part)

    return resolve(root)
