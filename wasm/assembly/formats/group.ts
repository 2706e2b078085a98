import {BLOCK_COLUMNS, F32, Format, GROUP_ROWS, Q4, Q4_BLOCK_BYTES, Q8, Q8_BLOCK_BYTES, isSmall, isSuper, shapeOf} from './format';
import {smallGroupBytes} from './small-block';
import {SUPER_COLUMNS, superBlockBytes} from './super-block';

/** Bytes of one group of 16 rows of `columns` columns. */
export function groupBytes(format: Format, columns: i32): usize {
  if (isSuper(format)) return <usize>(columns / SUPER_COLUMNS) * 2 * superBlockBytes(shapeOf(format));
  const blocks = <usize>(columns / BLOCK_COLUMNS);
  if (isSmall(format)) return smallGroupBytes(format, columns);
  if (format == Q8) return blocks * Q8_BLOCK_BYTES;
  if (format == Q4) return blocks * Q4_BLOCK_BYTES;
  return <usize>(columns * GROUP_ROWS) << (format == F32 ? 2 : 1);
}
