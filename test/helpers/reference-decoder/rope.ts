import type {ReferenceFile} from './file.ts';
import {split} from './math.ts';
import type {Vector} from './math.ts';
import {isWindowed} from './windows.ts';

/** Those that turn adjacent dimensions (2i, 2i + 1); the others turn (i, i + pairs). */
const adjacent = [
  'llama',
  'baichuan',
  'internlm2',
  'minicpm',
  'xverse',
  'command-r',
  'cohere2',
  'olmo',
  'chatglm',
  'glm4',
  'granite',
  'granitemoe',
  'granitehybrid',
  'smollm3',
  'arcee',
  'ernie4_5',
  'ernie4_5-moe',
  'deepseek',
];

const withoutRope = ['gpt2', 'mpt', 'bloom', 'jais'];

export function hasRope(file: ReferenceFile, layer: number): boolean {
  const layers = file.number('block_count');
  switch (file.architecture) {
    case 'baichuan':
      return layers === 32;
    case 'smollm3':
      return (layer + 1) % 4 !== 0;
    case 'cohere2':
      return isWindowed(file, layer);
    case 'exaone4':
      return layers - file.number('nextn_predict_layers', 0) !== 64 || isWindowed(file, layer);
    case 'granite':
    case 'granitemoe':
    case 'granitehybrid':
      return file.flag('rope.scaling.finetuned', true);
    default:
      return !withoutRope.includes(file.architecture);
  }
}

interface Rotation {
  readonly dimensions: number;
  /** Radians a position of each pair. */
  readonly frequencies: readonly number[];
  /** Factor of cosine and sine. */
  readonly magnitude: number;
}

function rotation(file: ReferenceFile, headLength: number, layer: number, contextLength: number): Rotation {
  const dimensions = file.number('rope.dimension_count', headLength);
  const windowed = isWindowed(file, layer);
  const base = ropeBase(file, headLength, windowed);
  // The windows of Gemma 3 and OLMo 3 are short: their rope is not stretched.
  const plain = windowed && file.is('gemma3', 'gemma3n', 'olmo2');
  const kind = plain ? 'none' : (file.text('rope.scaling.type') ?? 'linear');
  const stretch = kind === 'none' ? 1 : file.number('rope.scaling.factor', 1) || 1;
  const factors = plain ? undefined : frequencyFactors(file, contextLength);
  const kept = kind === 'yarn' ? yarnShares(file, dimensions, base) : undefined;
  const frequencies = Array.from({length: dimensions / 2}, (_, pair) => {
    const frequency = base ** ((-2 * pair) / dimensions) / (factors?.[pair] ?? 1);
    const share = kept?.[pair] ?? 0;
    return (frequency / stretch) * (1 - share) + frequency * share;
  });
  const own = windowed && file.is('olmo2') ? 1 : file.number('rope.scaling.attn_factor', 1);
  return {
    dimensions,
    frequencies,
    magnitude: own * (kind === 'yarn' ? 1 + 0.1 * Math.log(Math.max(1, stretch)) : 1),
  };
}

function ropeBase(file: ReferenceFile, headLength: number, windowed: boolean): number {
  if (windowed && file.is('gemma3', 'gemma3n')) return file.number('rope.freq_base_swa', 10000);
  const base = file.number('rope.freq_base', 10000);
  const alpha = file.is('hunyuan-dense') ? file.number('rope.scaling.alpha', 0) : 0;
  return alpha > 0 ? base * alpha ** (headLength / (headLength - 2)) : base;
}

/** Divisors of the frequencies: one set for all contexts, or one for those beyond the original length and one for the others. */
function frequencyFactors(file: ReferenceFile, contextLength: number): Float32Array | undefined {
  const original = file.number('rope.scaling.original_context_length', file.number('context_length'));
  const either = contextLength > original ? 'rope_factors_long' : 'rope_factors_short';
  return file.optional('rope_freqs.weight') ?? file.optional(`${either}.weight`);
}

/**
 * The share of its frequency that each pair keeps under YaRN (https://arxiv.org/abs/2309.00071): all where it turns
 * more than 32 times in the original context, nothing where it turns less than once.
 */
function yarnShares(file: ReferenceFile, dimensions: number, base: number): number[] {
  const original = file.number('rope.scaling.original_context_length', file.number('context_length'));
  const pairOf = (turns: number): number =>
    (dimensions * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairOf(32)));
  const high = Math.min(dimensions - 1, Math.ceil(pairOf(1)));
  return Array.from({length: dimensions / 2}, (_, pair) => {
    const way = (pair - low) / Math.max(0.001, high - low);
    return 1 - Math.min(1, Math.max(0, way));
  });
}

/** Turns all heads of `x`, queries or keys at `position`. */
export function rotate(
  file: ReferenceFile,
  x: Vector,
  {
    headLength,
    layer,
    position,
    contextLength,
  }: Record<'headLength' | 'layer' | 'position' | 'contextLength', number>,
): Vector {
  const {dimensions, frequencies, magnitude} = rotation(file, headLength, layer, contextLength);
  return split(x, headLength).flatMap((head) => {
    const turned = [...head];
    frequencies.forEach((frequency, pair) => {
      const [first, second] = adjacent.includes(file.architecture)
        ? [2 * pair, 2 * pair + 1]
        : [pair, pair + dimensions / 2];
      const cosine = Math.cos(position * frequency) * magnitude;
      const sine = Math.sin(position * frequency) * magnitude;
      turned[first] = head[first]! * cosine - head[second]! * sine;
      turned[second] = head[first]! * sine + head[second]! * cosine;
    });
    return turned;
  });
}
