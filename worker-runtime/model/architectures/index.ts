import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {llama} from './llama.ts';

type Architecture = (metadata: Metadata, vocabularySize: number) => DecoderSpec;

/** Every supported value of `general.architecture`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([['llama', llama]]);

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
