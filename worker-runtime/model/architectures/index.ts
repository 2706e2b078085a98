import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {cohere2, commandR} from './command-r.ts';
import {exaone, exaone4} from './exaone.ts';
import {gemma, gemma2, gemma3} from './gemma.ts';
import {chatglm, glm4} from './glm.ts';
import {bloom, falcon, gpt2, gptneox, jais, mpt, starcoder2} from './gpt.ts';
import {granite, minicpm} from './granite.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {
  apertus,
  arcee,
  baichuan,
  bitnet,
  hunyuan,
  nemotron,
  openelm,
  orion,
  plain,
  plamo,
  seedOss,
} from './llama-like.ts';
import {llama} from './llama.ts';
import {olmo, olmo2} from './olmo.ts';
import {phi2, phi3} from './phi.ts';
import {qwen2, qwen3} from './qwen.ts';
import {smollm3} from './smollm3.ts';
import {stablelm} from './stablelm.ts';

type Architecture = (keys: Hyperparameters) => DecoderSpec;

/** Every supported value of `general.architecture`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.entries({
    apertus,
    arcee,
    baichuan,
    bitnet,
    bloom,
    chatglm,
    cohere2,
    'command-r': commandR,
    ernie4_5: plain,
    exaone,
    exaone4,
    falcon,
    gemma,
    gemma2,
    gemma3,
    glm4,
    gpt2,
    gptneox,
    granite,
    'hunyuan-dense': hunyuan,
    internlm2: plain,
    jais,
    llama,
    minicpm,
    mpt,
    nemotron,
    olmo,
    olmo2,
    openelm,
    orion,
    phi2,
    phi3,
    plamo,
    qwen2,
    qwen3,
    seed_oss: seedOss,
    smollm3,
    stablelm,
    starcoder2,
    xverse: plain,
  }),
);

/** @throws {GgufError} `unsupported-architecture` naming it */
export function findArchitecture(metadata: Metadata): Architecture {
  const name = metadata.string('general.architecture');
  const architecture = architectures.get(name);
  if (architecture) return architecture;
  throw new GgufError(
    'unsupported-architecture',
    `Architecture "${name}" is not supported (supported: ${[...architectures.keys()].join(', ')})`,
    {field: 'general.architecture'},
  );
}
