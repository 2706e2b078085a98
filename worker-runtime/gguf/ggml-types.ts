/**
 * The element types of tensors: ggml's number for each, and its block: how many elements lie together in how many
 * bytes. A row is a whole number of blocks.
 */
export const ggmlTypes = {
  F32: {id: 0, blockElements: 1, blockBytes: 4},
  F16: {id: 1, blockElements: 1, blockBytes: 2},
  Q4_0: {id: 2, blockElements: 32, blockBytes: 18},
  Q4_1: {id: 3, blockElements: 32, blockBytes: 20},
  Q5_0: {id: 6, blockElements: 32, blockBytes: 22},
  Q5_1: {id: 7, blockElements: 32, blockBytes: 24},
  Q8_0: {id: 8, blockElements: 32, blockBytes: 34},
  Q8_1: {id: 9, blockElements: 32, blockBytes: 36},
  Q2_K: {id: 10, blockElements: 256, blockBytes: 84},
  Q3_K: {id: 11, blockElements: 256, blockBytes: 110},
  Q4_K: {id: 12, blockElements: 256, blockBytes: 144},
  Q5_K: {id: 13, blockElements: 256, blockBytes: 176},
  Q6_K: {id: 14, blockElements: 256, blockBytes: 210},
  Q8_K: {id: 15, blockElements: 256, blockBytes: 292},
  IQ2_XXS: {id: 16, blockElements: 256, blockBytes: 66},
  IQ2_XS: {id: 17, blockElements: 256, blockBytes: 74},
  IQ3_XXS: {id: 18, blockElements: 256, blockBytes: 98},
  IQ1_S: {id: 19, blockElements: 256, blockBytes: 50},
  IQ4_NL: {id: 20, blockElements: 32, blockBytes: 18},
  IQ3_S: {id: 21, blockElements: 256, blockBytes: 110},
  IQ2_S: {id: 22, blockElements: 256, blockBytes: 82},
  IQ4_XS: {id: 23, blockElements: 256, blockBytes: 136},
  I8: {id: 24, blockElements: 1, blockBytes: 1},
  I16: {id: 25, blockElements: 1, blockBytes: 2},
  I32: {id: 26, blockElements: 1, blockBytes: 4},
  I64: {id: 27, blockElements: 1, blockBytes: 8},
  F64: {id: 28, blockElements: 1, blockBytes: 8},
  IQ1_M: {id: 29, blockElements: 256, blockBytes: 56},
  BF16: {id: 30, blockElements: 1, blockBytes: 2},
  TQ1_0: {id: 34, blockElements: 256, blockBytes: 54},
  TQ2_0: {id: 35, blockElements: 256, blockBytes: 66},
  MXFP4: {id: 39, blockElements: 32, blockBytes: 17},
  NVFP4: {id: 40, blockElements: 64, blockBytes: 36},
  Q1_0: {id: 41, blockElements: 128, blockBytes: 18},
  Q2_0: {id: 42, blockElements: 64, blockBytes: 18},
} as const satisfies Record<string, {id: number; blockElements: number; blockBytes: number}>;

export type GgmlType = keyof typeof ggmlTypes;

const typesById: ReadonlyMap<number, GgmlType> = new Map(
  Object.entries(ggmlTypes).map(([name, {id}]) => [id, name as GgmlType]),
);

/** The numbers of types that ggml once had: repacked variants (now made at load) and early Q4 formats. */
const removedIds: ReadonlySet<number> = new Set([4, 5, 31, 32, 33, 36, 37, 38]);

export function ggmlTypeById(id: number): GgmlType | undefined {
  return typesById.get(id);
}

export function isRemovedGgmlType(id: number): boolean {
  return removedIds.has(id);
}
