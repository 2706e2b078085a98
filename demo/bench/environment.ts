/** What the figures depend on, as far as a page can know it. */
export interface Environment {
  readonly date: string;
  readonly browser: string;
  readonly userAgent: string;
  readonly platform: string;
  /** Processors that the browser admits to. */
  readonly hardwareConcurrency: number;
  /** GiB, rounded and capped by the browser; `null` where it does not say. */
  readonly deviceMemory: number | null;
  readonly crossOriginIsolated: boolean;
}

interface Brand {
  readonly brand: string;
  readonly version: string;
}

/** What Chromium alone tells, and on secure origins only. */
interface ChromiumFacts {
  readonly deviceMemory?: number;
  readonly userAgentData?: {
    getHighEntropyValues(hints: readonly string[]): Promise<{
      readonly fullVersionList?: readonly Brand[];
      readonly platform?: string;
      readonly platformVersion?: string;
      readonly architecture?: string;
      readonly model?: string;
    }>;
  };
}

export async function describeEnvironment(): Promise<Environment> {
  const {userAgent, hardwareConcurrency, deviceMemory, userAgentData}: Navigator & ChromiumFacts = navigator;
  const known = await userAgentData
    ?.getHighEntropyValues(['fullVersionList', 'platformVersion', 'architecture', 'model'])
    .catch(() => undefined); // a page's policy may forbid it
  const platform = [known?.platform, known?.platformVersion, known?.architecture, known?.model];
  return {
    date: new Date().toISOString(),
    browser: nameOf(known?.fullVersionList ?? []) || userAgent,
    userAgent,
    platform: platform.filter(Boolean).join(', ') || 'not told',
    hardwareConcurrency,
    deviceMemory: deviceMemory ?? null,
    crossOriginIsolated: globalThis.crossOriginIsolated,
  };
}

/** Without the brand that is none, which is there so that nobody relies on the list. */
function nameOf(brands: readonly Brand[]): string {
  return brands
    .filter(({brand}) => !/not.*brand/i.test(brand))
    .map(({brand, version}) => `${brand} ${version}`)
    .join(', ');
}

/** Names and values for a reader. */
export function environmentFacts(environment: Environment): [name: string, value: string][] {
  const {browser, platform, hardwareConcurrency, deviceMemory} = environment;
  return [
    ['Browser', browser],
    ['Platform', platform],
    ['Processors', String(hardwareConcurrency)],
    ['Memory', deviceMemory === null ? 'not told' : `${deviceMemory} GiB or more`],
    ['Cross-origin isolated', environment.crossOriginIsolated ? 'yes' : 'no'],
  ];
}
