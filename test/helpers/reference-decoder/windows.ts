import type {ReferenceFile} from './file.ts';

/** Of the architectures that have windows: every so many layers one sees everything. */
const periods: Readonly<Record<string, number>> = {
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  cohere2: 4,
  olmo2: 4,
  exaone4: 4,
  'gpt-oss': 2,
  // All layers of LFM2 that have attention.
  lfm2: 0,
};

export function windowLength(file: ReferenceFile): number {
  switch (file.architecture) {
    case 'gemma2':
      return file.number('attention.sliding_window', 4096);
    case 'exaone4': {
      const layers = file.number('block_count') - file.number('nextn_predict_layers', 0);
      return layers === 64 ? file.number('attention.sliding_window', 4096) : 0;
    }
    default:
      return file.architecture in periods ? file.number('attention.sliding_window', 0) : 0;
  }
}

/** Whether a layer sees the last positions only. The file may list its layers, or give the period. */
export function isWindowed(file: ReferenceFile, layer: number): boolean {
  if (windowLength(file) === 0) return false;
  const listed = file.flags('attention.sliding_window_pattern');
  if (listed) return listed[layer] ?? false;
  const period = file.number('attention.sliding_window_pattern', periods[file.architecture]);
  return period === 0 || layer % period < period - 1;
}
