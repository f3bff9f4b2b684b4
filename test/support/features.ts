/** What the ZooKeeper that the tests run on knows: a test of what it lacks shows how the client says so. */
import { expect, it } from '@jest/globals';
import { UnimplementedError } from 'zookit';

/** What older servers refuse, in the words of the error, and the first release that knows it. */
const features = {
  createWithStat: ['create', '3.5.0'],
  createWithStatInTransaction: ['a create with its stat', '3.5.0'],
  getConfig: ['getConfig', '3.5.0'],
  reconfig: ['reconfig', '3.5.0'],
  removeWatches: ['removeWatches', '3.5.0'],
  containers: ['create', '3.5.1'],
  containersInTransaction: ['a create of a container', '3.5.1'],
  ttl: ['create', '3.5.3'],
  ttlInTransaction: ['a create with a ttl', '3.5.3'],
  addWatch: ['addWatch', '3.6.0'],
  getAllChildrenNumber: ['getAllChildrenNumber', '3.6.0'],
  getEphemerals: ['getEphemerals', '3.6.0'],
  multiRead: ['multiRead', '3.6.0'],
  whoAmI: ['whoAmI', '3.7.0'],
} as const satisfies Record<string, readonly [what: string, since: string]>;

export type Feature = keyof typeof features;

/** The release that the tests run on: `3.8.0`. */
export function serverVersion(): string {
  const version = process.env.ZOOKIT_TEST_VERSION;
  if (!version) throw new Error('there is no shared server: jest was told to run only test/unit or test/package');
  return version;
}

/** Whether the tests run on this release or a later one. */
export function runsOn(release: string): boolean {
  return serverVersion().localeCompare(release, 'en', { numeric: true }) >= 0;
}

/** Whether the shared server is a member of an ensemble of several releases. */
export function runsMixed(): boolean {
  return (process.env.ZOOKIT_TEST_HOMES ?? '') !== '';
}

/** Whether the server knows all of these. */
export function knows(...wanted: readonly Feature[]): boolean {
  return wanted.every((feature) => runsOn(features[feature][1]));
}

/**
 * `it`, for a test that uses these features. On a server that lacks one, the test is run all the same, and must end with
 * the `UnimplementedError` that says what is missing, and which release has it.
 */
export function needs(...wanted: readonly [Feature, ...Feature[]]): typeof it {
  const missing = wanted.filter((feature) => !knows(feature));
  if (missing.length === 0) return it;
  const suffix = ` [no ${missing.join(', no ')}: UnimplementedError]`;
  const refused = (name: string, test: () => unknown, timeout?: number): void => {
    it(name + suffix, () => expectRefusal(missing, test), timeout);
  };
  const each = (rows: readonly unknown[]) => (name: string, test: (...row: never[]) => unknown, timeout?: number) => {
    const run = (...row: never[]): Promise<void> => expectRefusal(missing, () => test(...row));
    it.each(rows as never[][])(name + suffix, run, timeout);
  };
  return Object.assign(refused, { each }) as unknown as typeof it;
}

/**
 * `it`, for a test of what servers do from this release on, and older ones do not without saying so. On these the test
 * is run all the same, and must fail.
 */
export function since(release: string): (name: string, test: () => Promise<void>) => void {
  if (runsOn(release)) return it;
  return (name, test) => it.failing(`${name} [not before ${release}]`, test);
}

/** Checks that this fails, and for no other reason than that these features are not there. */
export async function expectRefusal(missing: readonly Feature[], act: () => unknown): Promise<void> {
  let outcome: unknown = new Error(`it was to fail without ${missing.join(' and ')}`);
  try {
    await act();
  } catch (error) {
    outcome = error;
  }
  if (!(outcome instanceof UnimplementedError)) throw outcome;
  const { code, serverCode, message } = outcome;
  expect({ code, serverCode }).toEqual({ code: 'UNIMPLEMENTED', serverCode: -6 });
  const hints = missing.map((feature) => `(${features[feature].join(' is known from ZooKeeper ')} on)`);
  expect(hints).toContain(/\([^()]* is known from ZooKeeper [^()]*\)/.exec(message)?.[0]);
}
