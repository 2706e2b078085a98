import type {ReferenceFile} from './file.ts';
import {split} from './math.ts';
import type {Vector} from './math.ts';
import {norm} from './norms.ts';
import {rotate} from './rope.ts';

/** https://arxiv.org/abs/2405.04434, section 2.1.2, as MiniCPM 3 has it: queries are compressed, too. */
export function latentProjections(
  file: ReferenceFile,
  layer: number,
  headCount: number,
  x: Vector,
  {position, contextLength}: {readonly position: number; readonly contextLength: number},
): {readonly query: Vector; readonly key: Vector; readonly value: Vector} {
  const name = `blk.${layer}`;
  const rank = file.number('attention.kv_lora_rank');
  const headLength = file.number('attention.key_length');
  const turnedLength = file.number('rope.dimension_count');
  const plain = headLength - turnedLength;
  const turned = (part: Vector): Vector =>
    rotate(file, part, {headLength: turnedLength, layer, position, contextLength});
  const queryLatent = norm(file, `${name}.attn_q_a_norm`, file.linear(`${name}.attn_q_a`, x));
  const queries = split(file.linear(`${name}.attn_q_b`, queryLatent), headLength);
  const down = file.linear(`${name}.attn_kv_a_mqa`, x);
  const latent = norm(file, `${name}.attn_kv_a_norm`, down.slice(0, rank));
  const sharedKey = turned(down.slice(rank));
  const up = file.linear(`${name}.attn_kv_b`, latent);
  const pairs = split(up, up.length / headCount);
  return {
    query: queries.flatMap((head) => [...head.slice(0, plain), ...turned(head.slice(plain))]),
    key: pairs.flatMap((pair) => [...pair.slice(0, plain), ...sharedKey]),
    value: pairs.flatMap((pair) => pair.slice(plain)),
  };
}
