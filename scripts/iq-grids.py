"""
Writes wasm/assembly/formats/unpack/iq-grids.ts, and prints the SHA-256 of each grid's values, which
test/wasm/unpack.test.ts compares: `pip install gguf && python3 scripts/iq-grids.py`.

The grids are part of the IQ formats: which combinations of 8 or 4 magnitudes a block may name. Here they come from
the `gguf` package of the llama.cpp project.
"""

import hashlib
from pathlib import Path

import numpy as np
from gguf import quants

TARGET = Path(__file__).parent.parent / "wasm/assembly/formats/unpack/iq-grids.ts"

GRIDS = [
    ("IQ2_XXS", "2 bits each: 8, 25, 43"),
    ("IQ2_XS", "2 bits each: 8, 25, 43"),
    ("IQ2_S", "2 bits each: 8, 25, 43"),
    ("IQ3_XXS", "3 bits each: 4, 12, 20, 28, 36, 44, 52, 62"),
    ("IQ3_S", "3 bits each: 1, 3, 5, 7, 9, 11, 13, 15"),
    ("IQ1_S", "2 bits each: -1, 0, 1"),
]

HEADER = """/**
 * The grids of the IQ types: the points that a block's indices name. Written by scripts/iq-grids.py.
 *
 * A point has the 8 (IQ3: 4) values of neighbouring columns, each the index of a magnitude; the first stands in the
 * lowest bits. In memory all points' low bytes come first, then all high bytes: the points ascend, and runs of
 * like bytes compress to little more than half.
 */

/** Point `index` of a grid of `points` points. */
// @ts-ignore: decorator
@inline
export function gridPoint(grid: usize, points: usize, index: usize): u32 {
  return <u32>load<u8>(grid + index) | (<u32>load<u8>(grid + points + index) << 8);
}
"""


def packed_points(values, magnitudes):
    """Points (n, 8 or 4) as n numbers, by the index of each value in `magnitudes`."""
    bits = 2 if len(magnitudes) < 4 else 3
    indices = np.searchsorted(magnitudes, values)
    return (indices << (bits * np.arange(values.shape[1]))).sum(axis=1)


def lines_of(numbers, width=108):
    line = " "
    for number in numbers:
        if len(line) + len(str(number)) + 2 > width:
            yield line
            line = " "
        line += f" {number},"
    yield line


parts = [HEADER]
for name, values_text in GRIDS:
    quant = getattr(quants, name)
    quant.init_grid()
    values = quant.grid.reshape(quant.grid_shape).astype(np.int8)
    points = packed_points(values, quant.grid_map)
    planes = [*(points & 255), *(points >> 8)]
    constant = name.removesuffix("_S") if name == "IQ1_S" else name
    parts.append(
        f"\n/** {values.shape[0]} points of {values.shape[1]} values, {values_text}. */\n"
        f"export const {constant}_POINTS: usize = {values.shape[0]};\n"
        f"export const {constant}_GRID: usize = memory.data<u8>([\n"
        + "\n".join(lines_of(planes))
        + "\n]);\n"
    )
    print(constant, hashlib.sha256(values.tobytes()).hexdigest())
TARGET.write_text("".join(parts))
