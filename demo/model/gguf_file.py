"""Writes and reads GGUF 3: header, metadata, directory of tensors, data. Layout: the GGUF specification of ggml."""

import struct
from pathlib import Path

import numpy as np

ALIGNMENT = 32
VERSION = 3
F32, Q8_0 = 0, 8
BLOCK = 32  # elements of a Q8_0 block: one f16 scale, 32 signed bytes
_Q8_0_BLOCK = np.dtype([("scale", "<f2"), ("values", "i1", BLOCK)])
_U32, _F32, _BOOL, _STRING, _ARRAY, _I32 = 4, 6, 7, 8, 9, 5


def _string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value):
    """Type number and bytes of a metadata value."""
    if isinstance(value, bool):
        return _BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return _U32, struct.pack("<I", value)
    if isinstance(value, float):
        return _F32, struct.pack("<f", value)
    if isinstance(value, str):
        return _STRING, _string(value)
    if isinstance(value, list) and isinstance(value[0], str):
        items = b"".join(_string(item) for item in value)
        return _ARRAY, struct.pack("<IQ", _STRING, len(value)) + items
    if isinstance(value, list):
        return _ARRAY, struct.pack("<IQ", _I32, len(value)) + np.asarray(value, "<i4").tobytes()
    raise TypeError(f"no GGUF type for {type(value).__name__}")


def q8_0(matrix):
    """Bytes of a float32 matrix (rows, columns); columns a multiple of 32."""
    blocks = matrix.astype(np.float32).reshape(-1, BLOCK)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), scales, out=np.zeros_like(scales), where=scales > 0)
    packed = np.empty(len(blocks), _Q8_0_BLOCK)
    packed["scale"] = scales[:, 0]
    packed["values"] = np.rint(blocks * inverse)
    return packed.tobytes()


def write_gguf(path, metadata, tensors):
    """`tensors`: name → float32 array; matrices become Q8_0, vectors stay F32."""
    encoded = []
    for name, array in tensors.items():
        kind = Q8_0 if array.ndim == 2 else F32
        encoded.append((name, array.shape, kind, q8_0(array) if kind == Q8_0 else array.astype("<f4").tobytes()))
    head = b"GGUF" + struct.pack("<IQQ", VERSION, len(encoded), len(metadata))
    for key, value in metadata.items():
        kind, data = _value(value)
        head += _string(key) + struct.pack("<I", kind) + data
    offset = 0
    for name, shape, kind, data in encoded:
        dimensions = struct.pack(f"<{len(shape)}Q", *reversed(shape))  # the fastest one first
        head += _string(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", kind, offset)
        offset += _padded(len(data))
    with open(path, "wb") as file:
        file.write(head.ljust(_padded(len(head)), b"\0"))
        for *_, data in encoded:
            file.write(data.ljust(_padded(len(data)), b"\0"))


def _padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


class Reader:
    """What `write_gguf` wrote: `metadata`, and `tensors` as float32 arrays."""

    def __init__(self, path):
        self._data = Path(path).read_bytes()
        self._at = 0
        magic, version, tensors, entries = self._take("<4sIQQ")
        if (magic, version) != (b"GGUF", VERSION):
            raise ValueError(f"{path}: no GGUF {VERSION}")
        self.metadata = {self._string(): self._value(self._take("<I")[0]) for _ in range(entries)}
        directory = [self._entry() for _ in range(tensors)]
        start = _padded(self._at)
        self.tensors = {name: self._array(shape, kind, start + offset) for name, shape, kind, offset in directory}

    def _take(self, layout):
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _string(self):
        (length,) = self._take("<Q")
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def _value(self, kind):
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            item, length = self._take("<IQ")
            return [self._value(item) for _ in range(length)]
        return self._take({_U32: "<I", _F32: "<f", _BOOL: "<?", _I32: "<i"}[kind])[0]

    def _entry(self):
        name, (rank,) = self._string(), self._take("<I")
        dimensions = self._take(f"<{rank}Q")
        kind, offset = self._take("<IQ")
        return name, dimensions[::-1], kind, offset

    def _array(self, shape, kind, offset):
        count = int(np.prod(shape))
        if kind == F32:
            return np.frombuffer(self._data, "<f4", count, offset).reshape(shape)
        blocks = np.frombuffer(self._data, _Q8_0_BLOCK, count // BLOCK, offset)
        return (blocks["scale"].astype(np.float32)[:, None] * blocks["values"]).reshape(shape)
