import {F32, Format, isSmall, isSuper, Q4, Q8} from './format';
import {repack16, repackF32} from './floats';
import {repackQ4_0} from './q4';
import {repackQ8_0} from './q8';
import {repackSmall} from './small-pack';
import {repackSuper} from './super-pack';

/**
 * Up to 16 rows of a stored matrix into one group of compute format `format`: row r lies at `source + r * stride` and
 * has `columns` elements of ggml's type `type`, in blocks of `blockBytes`. Rows that are missing become zero. Exact.
 */
export function repack(
  format: Format,
  type: i32,
  blockBytes: usize,
  source: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  target: usize,
): void {
  if (isSuper(format)) repackSuper(format, type, blockBytes, source, stride, rows, columns, target);
  else if (isSmall(format)) repackSmall(format, type, blockBytes, source, stride, rows, columns, target);
  else if (format == Q8) repackQ8_0(source, stride, rows, columns, target);
  else if (format == Q4) repackQ4_0(source, stride, rows, columns, target);
  else if (format == F32) repackF32(source, stride, rows, columns, target);
  else repack16(source, stride, rows, columns, target);
}
