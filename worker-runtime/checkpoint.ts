/**
 * Called between pieces of long work: throws where the work was cancelled, and gives a promise from time to time so that
 * the Worker can take messages in. Nothing in between should take longer than about 10 ms.
 */
export type Checkpoint = () => void | Promise<void>;
