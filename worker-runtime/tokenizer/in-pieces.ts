import type {Checkpoint} from '../checkpoint.ts';

/** Turns between checkpoints: about a millisecond of the cheap work that a vocabulary needs. */
const pieceLength = 2048;

/** Calls `visit` for 0 to `count` - 1; between pieces the Worker takes messages in, and a cancelled load ends. */
export async function inPieces(
  count: number,
  checkpoint: Checkpoint,
  visit: (index: number) => void,
): Promise<void> {
  for (let start = 0; start < count; start += pieceLength) {
    const end = Math.min(count, start + pieceLength);
    for (let index = start; index < end; index++) visit(index);
    const pause = checkpoint();
    if (pause) await pause;
  }
}
