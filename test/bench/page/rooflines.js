/** What one core gives in this run, measured in a Worker: one question at a time. */
export class Rooflines {
  #worker = new Worker(new URL('./rooflines-worker.js', import.meta.url), {type: 'module'});
  /** Ends the question under way. @type {((reason: Error) => void) | undefined} */
  #reject;

  /**
   * GB/s of reading `bytes` of memory.
   *
   * @param {number} bytes
   * @returns {Promise<{oneStream: number, fourStreams: number} | null>} `null` without relaxed SIMD, without
   *   `wasm/build/bench.wasm`, or where the browser refuses the memory
   */
  memoryRead(bytes) {
    return this.#ask({kind: 'memory-read', bytes});
  }

  /**
   * GMAC/s of the relaxed dot product from registers.
   *
   * @returns {Promise<number | null>} `null` without relaxed SIMD or `wasm/build/bench.wasm`
   */
  dotPeak() {
    return this.#ask({kind: 'dot-peak'});
  }

  /** Ends the Worker and frees its memory; a question under way is rejected with an `AbortError`. */
  terminate() {
    this.#worker.terminate();
    this.#reject?.(new DOMException('The rooflines Worker was ended', 'AbortError'));
  }

  #ask(request) {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#worker.onmessage = ({data}) => resolve(data);
      this.#worker.onerror = ({message}) => reject(new Error(`The rooflines Worker failed: ${message}`));
      this.#worker.postMessage(request);
    });
  }
}
