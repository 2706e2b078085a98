import type {ChatTemplate} from './chat-template/chat-template.ts';
import type {Decoder} from './model/decoder.ts';
import type {ModelInfo} from './protocol.ts';
import type {KvCache} from './model/kv-cache.ts';
import type {PlacedModel} from './place-model.ts';
import type {Tokenizer} from './tokenizer/tokenizer.ts';

/** Everything about a model that does not depend on how it was named to the page. */
export type ModelFacts = Omit<ModelInfo, 'model' | 'sequence'>;

/** A model that is ready to run. Its team terminated, dropping the last reference frees its memory. */
export interface LoadedModel extends PlacedModel {
  readonly facts: ModelFacts;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** Lets go of the stored file that it was loaded from. */
  readonly releaseSource: (() => void) | null;
  /** Room for one conversation. */
  readonly cache: KvCache;
}
