/** A decoder in the page itself, for tests of what no file can ask for yet. */
import {Arena} from '../../worker-runtime/core/arena.ts';
import {chooseCore} from '../../worker-runtime/core/choose-core.ts';
import {Core} from '../../worker-runtime/core/core.ts';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import {Hyperparameters} from '../../worker-runtime/model/architectures/hyperparameters.ts';
import {findArchitecture} from '../../worker-runtime/model/architectures/index.ts';
import {logitRows, planDecoder} from '../../worker-runtime/model/decoder-plan.ts';
import type {DecoderSpec} from '../../worker-runtime/model/decoder-spec.ts';
import {Decoder} from '../../worker-runtime/model/decoder.ts';
import {allocateKvCache} from '../../worker-runtime/model/kv-cache.ts';
import type {KvCache} from '../../worker-runtime/model/kv-cache.ts';
import {loadWeights, stagingBytes} from '../../worker-runtime/model/load-weights.ts';
import type {CoreVariant, KvType} from '../../worker-runtime/protocol.ts';
import {Sequence} from '../../worker-runtime/sequence.ts';
import {ShardGroup} from '../../worker-runtime/shards/shard-group.ts';
import {wholeShare} from '../../worker-runtime/shards/share.ts';
import {readPieces} from './piece-stream.ts';

interface TinyDecoderOptions {
  /** What becomes of the file's own spec. */
  readonly edit: (spec: DecoderSpec) => DecoderSpec;
  readonly kvType: KvType;
  readonly contextLength: number;
  readonly sliceLength: number;
  readonly variant?: CoreVariant;
}

export class TinyDecoder {
  readonly decoder: Decoder;
  /** The cache that a model gets. */
  readonly cache: KvCache;
  /** A cache whose rings never come round. */
  readonly wholeCache: KvCache;
  readonly #core: Core;

  private constructor(decoder: Decoder, core: Core, cache: KvCache, wholeCache: KvCache) {
    this.decoder = decoder;
    this.#core = core;
    this.cache = cache;
    this.wholeCache = wholeCache;
  }

  /** Loads a GGUF file. */
  static async load(bytes: ArrayBuffer, options: TinyDecoderOptions): Promise<TinyDecoder> {
    const {core: compiled} = await chooseCore(options.variant);
    const {calculator} = compiled;
    const reader = readPieces(bytes);
    const header = await readHeader(reader);
    const vocabularySize = header.tensors.get('token_embd.weight')?.dimensions[1] ?? NaN;
    const keys = new Hyperparameters(header, vocabularySize, options.contextLength);
    const spec = options.edit(findArchitecture(header.metadata)(keys));
    const arena = new Arena();
    const plan = planDecoder(spec, header, arena, calculator, {...options, share: wholeShare});
    const cache = allocateKvCache(spec, {...options, share: wholeShare}, arena, calculator);
    const whole = {...options, sliceLength: options.contextLength, share: wholeShare};
    const wholeCache = allocateKvCache(spec, whole, arena, calculator);
    const staging = arena.allocate(stagingBytes(plan.destinations, calculator), 'scratch');
    const core = await Core.instantiate(compiled, arena.plan().total);
    await loadWeights(plan.destinations, {reader, core, staging, checkpoint: () => undefined});
    const decoder = new Decoder(spec, plan, core, ShardGroup.single());
    return new TinyDecoder(decoder, core, cache, wholeCache);
  }

  sequence(cache = this.cache): Sequence {
    return new Sequence({kind: 'sequence', id: 0, generation: 0}, cache);
  }

  /** Feeds tokens in slices; the logits after each. */
  async feed(sequence: Sequence, tokens: readonly number[], slice: number): Promise<Float32Array[]> {
    const rows: Float32Array[] = [];
    for (let first = 0; first < tokens.length; first += slice) {
      const part = tokens.slice(first, first + slice);
      await sequence.feed(part, this.decoder, () => undefined);
      for (let index = 0; index < part.length; index += logitRows) {
        const count = Math.min(logitRows, part.length - index);
        const {pointer, stride, columns} = await this.decoder.logits(index, count);
        for (let row = 0; row < count; row++) {
          rows.push(this.#core.f32(pointer + row * stride, columns).slice());
        }
      }
    }
    return rows;
  }
}
