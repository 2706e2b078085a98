import {Format, isSmall, isSuper, Q4, Q8} from './format';
import {dequantizeFloats} from './floats';
import {dequantizeQ4} from './q4';
import {dequantizeQ8} from './q8';
import {dequantizeSmall} from './small-pack';
import {dequantizeSuper} from './super-pack';

/** Row `row` of a matrix in a compute format as `columns` f32 at `out`: the embedding lookup. Exact. */
export function dequantizeRow(format: Format, matrix: usize, row: i32, columns: i32, out: usize): void {
  if (isSuper(format)) dequantizeSuper(format, matrix, row, columns, out);
  else if (isSmall(format)) dequantizeSmall(format, matrix, row, columns, out);
  else if (format == Q8) dequantizeQ8(matrix, row, columns, out);
  else if (format == Q4) dequantizeQ4(matrix, row, columns, out);
  else dequantizeFloats(format, matrix, row, columns, out);
}
