import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {bert, jinaBert2, jinaBert3, nomicBert} from './bert.ts';
import {cohere2, commandR} from './command-r.ts';
import {exaone, exaone4} from './exaone.ts';
import {gemma, gemma2, gemma3, gemmaEmbedding} from './gemma.ts';
import {gemma3n} from './gemma3n.ts';
import {gemma4} from './gemma4.ts';
import {chatglm, glm4} from './glm.ts';
import {bloom, falcon, gpt2, gptneox, jais, mpt, starcoder2} from './gpt.ts';
import {gptOss} from './gpt-oss.ts';
import {granite, minicpm} from './granite.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {lfm2, lfm2moe} from './lfm2.ts';
import {
  apertus,
  arcee,
  baichuan,
  bitnet,
  deepseek,
  ernieMoe,
  glm4moe,
  hunyuan,
  nemotron,
  openelm,
  orion,
  plain,
  plamo,
  seedOss,
} from './llama-like.ts';
import {llama} from './llama.ts';
import {minicpm3} from './minicpm3.ts';
import {modernBert} from './modern-bert.ts';
import {olmo, olmo2, olmoe} from './olmo.ts';
import {phi2, phi3, phimoe} from './phi.ts';
import {qwen2, qwen2moe, qwen3, qwen35, qwen35moe, qwen3moe, qwen3next} from './qwen.ts';
import {rwkv7} from './rwkv.ts';
import {falconH1, granitehybrid, mamba, mamba2} from './state-space.ts';
import {smollm3} from './smollm3.ts';
import {stablelm} from './stablelm.ts';

type Architecture = (keys: Hyperparameters) => DecoderSpec;

/** Every supported value of `general.architecture`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.entries({
    apertus,
    arcee,
    baichuan,
    bert,
    bitnet,
    bloom,
    chatglm,
    cohere2,
    'command-r': commandR,
    deepseek,
    ernie4_5: plain,
    'ernie4_5-moe': ernieMoe,
    exaone,
    exaone4,
    falcon,
    'falcon-h1': falconH1,
    gemma,
    gemma2,
    gemma3,
    gemma3n,
    gemma4,
    'gemma-embedding': gemmaEmbedding,
    glm4,
    glm4moe,
    'gpt-oss': gptOss,
    gpt2,
    gptneox,
    granite,
    granitehybrid,
    granitemoe: granite,
    'hunyuan-dense': hunyuan,
    internlm2: plain,
    jais,
    'jina-bert-v2': jinaBert2,
    'jina-bert-v3': jinaBert3,
    lfm2,
    lfm2moe,
    llama,
    mamba,
    mamba2,
    minicpm,
    minicpm3,
    'modern-bert': modernBert,
    mpt,
    nemotron,
    'nomic-bert': nomicBert,
    olmo,
    olmo2,
    olmoe,
    openelm,
    orion,
    phi2,
    phi3,
    phimoe,
    plamo,
    qwen2,
    qwen2moe,
    qwen3,
    qwen35,
    qwen35moe,
    qwen3moe,
    qwen3next,
    rwkv7,
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
