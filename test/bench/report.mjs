/** The Markdown of one result: environment, figures, ratios. */

export const rounded = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const percent = (ratio) => `${(ratio * 100).toFixed(0)} %`;
const times = (ratio) => `${ratio.toFixed(1)}×`;

/**
 * A line of the table, in words; `p95` is empty for what was not measured more than once.
 *
 * @typedef {{title: string, median: string, p95: string, isRatio?: boolean}} Row
 */

function figureRows(figures, {prompt, tokens, peerPrompt, peerTokens}) {
  const titles = {
    memoryRead: 'reading memory, one Worker, one stream',
    memoryStreams: 'reading memory, one Worker, four streams',
    dotPeak: 'relaxed dot product from registers, one Worker',
    decode: `decode, ${tokens} tokens`,
    decodeBytes: 'decode, weights read, bytes of the file',
    decodeComputeBytes: 'decode, weights read, bytes of the compute format',
    prefill: `prefill, ${prompt} tokens`,
    prefillMacs: 'prefill, products of the matrices',
    firstToken: `first token after a prompt of ${prompt}`,
    prefillAsPeer: `prefill, ${peerPrompt} tokens`,
    peerDecode: `wllama: decode, ${peerTokens} tokens`,
    peerPrefill: `wllama: prefill, ${peerPrompt} tokens`,
  };
  return Object.entries(titles)
    .filter(([name]) => figures[name])
    .map(([name, title]) => {
      const {unit, median, p95} = figures[name];
      return {title, median: `${rounded(median)} ${unit}`, p95: `${rounded(p95)} ${unit}`};
    });
}

function ratioRows(ratios, {peerPrompt}) {
  const rows = [
    ['decode of reading memory in one stream', ratios.decodeOfMemoryRead, percent],
    ['decode of reading memory in four streams', ratios.decodeOfMemoryStreams, percent],
    [
      'decode, bytes of the compute format, of reading memory in one stream',
      ratios.decodeComputeOfMemoryRead,
      percent,
    ],
    ['prefill of the dot product', ratios.prefillOfDotPeak, percent],
    ['decode over wllama', ratios.decodeOverPeer, times],
    [`prefill of ${peerPrompt} tokens over wllama`, ratios.prefillOverPeer, times],
  ];
  return rows
    .filter(([, ratio]) => ratio !== null)
    .map(([title, ratio, format]) => ({title, median: format(ratio), p95: '', isRatio: true}));
}

/**
 * All figures of a result, then their ratios.
 *
 * @param {{
 *   figures: Record<string, import('./measurement.mjs').Figure>,
 *   ratios: Record<string, number | null>,
 *   options: import('./measurement.mjs').MeasurementOptions,
 * }} result
 * @returns {Row[]}
 */
export function rowsOf({figures, ratios, options}) {
  return [...figureRows(figures, options), ...ratioRows(ratios, options)];
}

/**
 * @param {Row[]} rows
 * @returns {string[]} lines of Markdown
 */
export function tableOf(rows) {
  return [
    '| figure | median | p95 (slow side) |',
    '|---|---|---|',
    ...rows.map(({title, median, p95, isRatio}) =>
      isRatio ? `| **${title}** | **${median}** | |` : `| ${title} | ${median} | ${p95} |`,
    ),
  ];
}

function environmentLines({environment, options, diagnostics, peer}) {
  const extensions = environment.vectorExtensions.join(', ') || 'vector extensions not known';
  const revision = `${environment.revision ?? 'unknown'}${environment.uncommittedChanges ? ' with changes' : ''}`;
  return [
    `- ${environment.date}, revision ${revision}; ${options.repetitions} repetitions after a warm-up`,
    `- ${environment.browser} (headless), ${environment.operatingSystem}, kernel ${environment.kernel}`,
    `- ${environment.processor}, ${environment.processorCount} cores (${extensions}), load average before ${environment.loadAverage.toFixed(2)}`,
    `- 1 shard, page ${diagnostics.environment.crossOriginIsolated ? '' : 'not '}cross-origin isolated`,
    ...(peer ? [`- wllama ${peer.version} (llama.cpp ${peer.llamaCpp}), one thread, no GPU`] : []),
  ];
}

function modelLines({model, options, loaded, diagnostics: {core, memory}}) {
  const {headerMs, tensorsMs, totalMs} = loaded.timings;
  return [
    `- ${core.variant} core (${core.sha256?.slice(0, 12) ?? 'hash unknown'}), relaxed dot ${core.relaxedDot ?? 'not used'}`,
    `- ${options.shape}, ${model.type}, ${(model.parameterCount / 1e6).toFixed(1)} M parameters, ${megabytes(model.fileBytes)} (${megabytes(model.weightBytesPerToken)} read a token), SHA-256 ${model.sha256}`,
    `- load: header ${rounded(headerMs)} ms, tensors ${rounded(tensorsMs)} ms, in all ${rounded(totalMs)} ms; WebAssembly memory at most ${megabytes(memory.wasmHighWaterBytes)}`,
  ];
}

export function markdownOf(result) {
  const {options, model, diagnostics} = result;
  return [
    `### ${options.shape}, ${model.type}, ${diagnostics.core.variant} core`,
    '',
    ...environmentLines(result),
    ...modelLines(result),
    '',
    ...tableOf(rowsOf(result)),
    '',
  ].join('\n');
}

/** One table of all results: a row for each type and core. Columns of the peer only where it was measured. */
export function summaryOf(results) {
  const [{options}] = results;
  const {prompt, tokens, peerPrompt, peerTokens, withPeer} = options;
  const columns = [
    ['type', ({model}) => model.type],
    ['core', ({diagnostics}) => diagnostics.core.variant],
    ['file', ({model}) => megabytes(model.fileBytes)],
    ['weights in memory', ({model}) => growth(model)],
    [`decode, ${tokens} tokens`, ({figures}) => rate(figures.decode)],
    ['of reading memory, by the file', ({ratios}) => share(ratios.decodeOfMemoryRead)],
    ['by the compute format', ({ratios}) => share(ratios.decodeComputeOfMemoryRead)],
    [`prefill, ${prompt} tokens`, ({figures}) => rate(figures.prefill)],
    ['of the dot product', ({ratios}) => share(ratios.prefillOfDotPeak)],
  ];
  const peerColumns = [
    [`wllama: decode, ${peerTokens} tokens`, ({figures}) => rate(figures.peerDecode)],
    ['ours over it', ({ratios}) => `**${times(ratios.decodeOverPeer)}**`],
    [`wllama: prefill, ${peerPrompt} tokens`, ({figures}) => rate(figures.peerPrefill)],
    ['ours over it', ({ratios}) => `**${times(ratios.prefillOverPeer)}**`],
  ];
  const all = withPeer ? [...columns, ...peerColumns] : columns;
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    `### ${options.shape}, all types`,
    '',
    ...environmentLines(results[0]),
    '',
    line(all.map(([title]) => title)),
    line(all.map((_, index) => (index < 2 ? '---' : '---:'))),
    ...results.map((result) => line(all.map(([, cell]) => cell(result)))),
    '',
  ].join('\n');
}

const rate = ({unit, median}) => `${rounded(median)} ${unit}`;
const share = (ratio) => (ratio === null ? '' : percent(ratio));

/** What the compute format takes beside the bytes in the file. */
const growth = ({computeBytes, weightBytesPerToken}) =>
  `${megabytes(computeBytes)} (${(computeBytes / weightBytesPerToken).toFixed(2)}×)`;
