import {expect} from '@open-wc/testing';
import {Arena} from '../../../worker-runtime/core/arena.ts';
import {chooseCore} from '../../../worker-runtime/core/choose-core.ts';
import {pageBytes} from '../../../worker-runtime/core/core-exports.ts';
import {Core} from '../../../worker-runtime/core/core.ts';
import {ggmlTypes} from '../../../worker-runtime/gguf/ggml-types.ts';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import type {TensorInfo} from '../../../worker-runtime/gguf/header.ts';
import {Hyperparameters} from '../../../worker-runtime/model/architectures/hyperparameters.ts';
import {findArchitecture} from '../../../worker-runtime/model/architectures/index.ts';
import {planDecoder} from '../../../worker-runtime/model/decoder-plan.ts';
import {loadWeights, stagingBytes} from '../../../worker-runtime/model/load-weights.ts';
import {wholeShare} from '../../../worker-runtime/shards/share.ts';
import type {ActivationType} from '../../../worker-runtime/model/weights.ts';
import {tinyLlama} from '../../helpers/gguf-writer.ts';
import type {TinyLlamaOptions} from '../../helpers/gguf-writer.ts';
import {PageModel} from '../../helpers/page-model.ts';
import {readPieces} from '../../helpers/piece-stream.ts';
import {anyTokens} from '../../helpers/tiny-runs.ts';
import {decodeBlock} from '../../helpers/type-reference.ts';

const encodable = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'] as const;
type EncodableType = (typeof encodable)[number];

/** Products that are cut into groups of columns, and groups of rows that are not full. */
const shape = {embeddingLength: 128, headCountKv: 4, feedForwardLength: 160} as const;
const tokens = anyTokens(20);

async function logitBits(source: ArrayBuffer, activations: ActivationType): Promise<Uint32Array> {
  const logits = await (await PageModel.load(source, {activations})).evaluate(tokens);
  return new Uint32Array(logits.buffer);
}

/** The same model with its matrices as F32, decoded by the reference decoder. */
async function dequantised(file: ArrayBuffer, type: 'Q8_0' | 'Q4_0'): Promise<ArrayBuffer> {
  const {tensors} = await readHeader(readPieces(file));
  const matrices = [...tensors.values()].filter((tensor) => tensor.type === type);
  const decode = ({offset, bytes, dimensions}: TensorInfo) => {
    const {blockBytes} = ggmlTypes[type];
    const blocks = Array.from({length: bytes / blockBytes}, (_, i) =>
      decodeBlock(type, new Uint8Array(file, offset + i * blockBytes, blockBytes)),
    );
    return {type: 'F32', dimensions, data: Float32Array.from(blocks.flatMap((block) => [...block]))} as const;
  };
  return tinyLlama({
    ...shape,
    tensors: Object.fromEntries(matrices.map((tensor) => [tensor.name, decode(tensor)])),
  });
}

describe('weights for activations in f32', () => {
  for (const weightType of ['Q8_0', 'Q4_0'] as const) {
    it(`are the dequantised ones of ${weightType}`, async () => {
      const file = tinyLlama({...shape, weightType});
      const expected = await logitBits(await dequantised(file, weightType), 'quantised');
      expect(await logitBits(file.slice(0), 'quantised')).to.not.deep.equal(expected);
      expect(await logitBits(file, 'f32')).to.deep.equal(expected);
    });
  }

  for (const weightType of ['F32', 'F16', 'BF16'] as const) {
    it(`are those of ${weightType}, whose activations are f32 already`, async () => {
      const file = tinyLlama({...shape, weightType});
      expect(await logitBits(file.slice(0), 'f32')).to.deep.equal(await logitBits(file, 'quantised'));
    });
  }

  it('take four bytes each in the memory plan', async () => {
    const options: TinyLlamaOptions = {weightType: 'Q8_0', vocabulary: [...'abcdefghijklm']};
    const {model} = await PageModel.load(tinyLlama(options), {activations: 'f32'});
    const elements = 2 * 272 * 64 + 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64);
    const {memory} = model.facts;
    expect(memory.weights).to.deep.equal({Q8_0: elements * 4, F32: 5 * 64 * 4});
    expect(model.core.bytes).to.equal(memory.total);
  });
});

describe('stagingBytes', () => {
  const canary = 0xa5;

  /** The bytes behind the staging buffer after a load, which found `canary` there. */
  async function bytesBehind(weightType: EncodableType, activations: ActivationType): Promise<Uint8Array> {
    const {core: compiled} = await chooseCore();
    const reader = readPieces(tinyLlama({...shape, weightType}));
    const header = await readHeader(reader);
    const vocabularySize = header.tensors.get('token_embd.weight')?.dimensions[1] ?? NaN;
    const spec = findArchitecture(header.metadata)(new Hyperparameters(header, vocabularySize, 256));
    const arena = new Arena();
    const {destinations} = planDecoder(spec, header, arena, compiled.calculator, {
      sliceLength: 16,
      share: wholeShare,
      activations,
    });
    const bytes = stagingBytes(destinations, compiled.calculator);
    const staging = arena.allocate(bytes, 'scratch');
    const core = await Core.instantiate(compiled, arena.plan().total + pageBytes);
    const behind = core.u8(staging + bytes, core.bytes - staging - bytes).fill(canary);
    await loadWeights(destinations, {reader, core, staging, checkpoint: () => undefined});
    return behind;
  }

  for (const activations of ['quantised', 'f32'] as const) {
    it(`is all that a load writes to, activations being ${activations}`, async () => {
      for (const weightType of encodable) {
        const behind = await bytesBehind(weightType, activations);
        expect(
          behind.findIndex((byte) => byte !== canary),
          weightType,
        ).to.equal(-1);
      }
    });
  }
});
