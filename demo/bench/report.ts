/** A result in words: the same ones on the page and in Markdown. */
import {megabytes, rounded, rowsOf, tableOf} from '../../test/bench/report.mjs';
import type {Row} from '../../test/bench/report.mjs';
import {errorRegistry} from '../../worker-runtime/client/index.ts';
import type {ErrorData} from '../../worker-runtime/client/index.ts';
import {environmentFacts} from './environment.ts';
import type {Result} from './measurement.ts';

export function titleOf({model}: Pick<Result, 'model'>): string {
  return model.source === 'synthetic' ? `${model.shape}, ${model.type}` : model.name;
}

/** What went wrong, with the number to search for. */
export function errorText({message, code, name}: ErrorData): string {
  return `${message} (${code} ${name})`;
}

/** Why it ended early, and what can be done; `null` where it did not. */
export function endingOf({status, error}: Result): string | null {
  if (error) return `Failed: ${errorText(error)}. ${errorRegistry[error.name].help}`;
  return status === 'stopped' ? 'Stopped before its end.' : null;
}

/** What its figures depend on, beside the device. */
export function factsOf({model, loaded, diagnostics, options, figures}: Result): string[] {
  const facts = [
    `${figures['decode']?.samples.length ?? 0} of ${options.repetitions} repetitions after a warm-up`,
  ];
  if (loaded) {
    const types = Object.entries(loaded.tensorTypes).map(([type, count]) => `${count} ${type}`);
    const size = loaded.fileBytes === null ? '' : `, ${megabytes(loaded.fileBytes)}`;
    facts.push(
      `${(loaded.parameterCount / 1e6).toFixed(1)} M parameters${size}; tensors: ${types.join(', ')}`,
    );
  }
  if (model.source === 'synthetic') facts.push(`random weights, seed ${model.seed}`);
  if (diagnostics) {
    const {core, shards, version} = diagnostics;
    const dot = core.relaxedDot ?? 'not used';
    const count = shards?.each.length ?? 1;
    const shardCount = `${count} ${count === 1 ? 'shard' : 'shards'}${shards?.transport ? ` over ${shards.transport}` : ''}`;
    facts.push(`gguf-chat ${version}, ${core.variant} core, relaxed dot ${dot}, ${shardCount}`);
  }
  return facts;
}

/** The figures, then what was measured once. */
export function rowsOfResult(result: Result): Row[] {
  const once = (title: string, median: string): Row => ({title, median, p95: ''});
  const {loaded, diagnostics} = result;
  return [
    ...rowsOf(result),
    ...(loaded ? [once('load', `${rounded(loaded.timings.totalMs)} ms`)] : []),
    ...(diagnostics
      ? [once('WebAssembly memory at most', megabytes(diagnostics.memory.wasmHighWaterBytes))]
      : []),
  ];
}

export function markdownOf(results: readonly Result[]): string {
  return results.map(sectionOf).join('\n');
}

function sectionOf(result: Result): string {
  const ending = endingOf(result);
  return [
    `### ${titleOf(result)}`,
    '',
    `- ${result.environment.date}`,
    ...environmentFacts(result.environment).map(([name, value]) => `- ${name}: ${value}`),
    ...factsOf(result).map((fact) => `- ${fact}`),
    ...(ending === null ? [] : [`- ${ending}`]),
    '',
    ...tableOf(rowsOfResult(result)),
    '',
  ].join('\n');
}
