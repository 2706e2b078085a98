/** A step that all shards run together: the arguments of a method of `Decoder` that exchanges something. */
export type ShardTask =
  | {
      readonly step: 'forward';
      readonly tokens: readonly number[];
      readonly position: number;
      readonly keepsStates: boolean;
    }
  | {readonly step: 'logits'; readonly first: number; readonly count: number}
  /** The slices of an encoder: the embeddings of one, or one in one layer. */
  | {readonly step: 'embed-text'; readonly tokens: readonly number[]; readonly position: number}
  | {
      readonly step: 'prepare-layer' | 'run-layer';
      readonly layer: number;
      readonly position: number;
      readonly count: number;
      readonly textLength: number;
    }
  /** Sums of one vector, to see how long an exchange takes. */
  | {readonly step: 'exchange'; readonly count: number}
  /** Puts the context of a sequence aside, brings it back, forgets it. */
  | {readonly step: 'keep-context'; readonly sequence: number; readonly stored: number}
  | {readonly step: 'restore-context' | 'drop-context'; readonly sequence: number};
