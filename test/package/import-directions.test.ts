/** Shows that eslint.config.mjs enforces each direction of imports, on small projects that break it. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = join(__dirname, '..', '..');
const files: Record<string, string> = {};

/** A file of the project: `file` imports `specifier`. What is imported exists, so that it can be resolved. */
function importing(file: string, specifier: string): void {
  files[file] = `${files[file] ?? ''}import * as i${Object.keys(files).length} from '${specifier}';\n`;
}

/** What must be reported: the file, what it imports, the rule. */
const forbidden: [file: string, specifier: string, rule: string][] = [
  ['src/protocol/a.ts', '../connection/target.js', 'import-x/no-restricted-paths'],
  ['src/protocol/b.ts', '../operations/target.js', 'import-x/no-restricted-paths'],
  ['src/protocol/c.ts', '../session/target.js', 'import-x/no-restricted-paths'],
  ['src/protocol/d.ts', '../zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/operations/a.ts', '../connection/target.js', 'import-x/no-restricted-paths'],
  ['src/operations/b.ts', '../session/target.js', 'import-x/no-restricted-paths'],
  ['src/operations/c.ts', '../zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/connection/a.ts', '../operations/target.js', 'import-x/no-restricted-paths'],
  ['src/connection/b.ts', '../session/target.js', 'import-x/no-restricted-paths'],
  ['src/connection/c.ts', '../zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/metrics/a.ts', '../session/target.js', 'import-x/no-restricted-paths'],
  ['src/metrics/b.ts', '../connection/target.js', 'import-x/no-restricted-paths'],
  ['src/session/a.ts', '../zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/session/b.ts', '../watcher.js', 'import-x/no-restricted-paths'],
  ...['errors', 'events', 'options', 'paths', 'acl', 'stat', 'clock', 'log'].map((leaf): [string, string, string] => [
    `src/${leaf}.ts`,
    './protocol/target.js',
    'import-x/no-restricted-paths',
  ]),
  ['src/watcher.ts', './index.js', 'import-x/no-restricted-paths'],
  ['src/transaction.ts', './pool/target.js', 'import-x/no-restricted-paths'],
  ['src/succession.ts', './admin/target.js', 'import-x/no-restricted-paths'],
  ['src/pool/a.ts', '../admin/target.js', 'import-x/no-restricted-paths'],
  ['src/session/f.ts', '../pool/target.js', 'import-x/no-restricted-paths'],
  ['src/admin/a.ts', '../session/target.js', 'import-x/no-restricted-paths'],
  ['src/admin/b.ts', '../zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/zookeeper.ts', './testing/target.js', 'import-x/no-restricted-paths'],
  ['src/session/c.ts', '../../recipes/target.js', 'import-x/no-restricted-paths'],
  ['src/session/d.ts', '../../test/support/target.js', 'import-x/no-restricted-paths'],
  ['src/session/e.ts', 'zookit', 'no-restricted-imports'],
  ['recipes/a.ts', '../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['recipes/b.ts', '../src/zookeeper.js', 'no-restricted-imports'],
  ['recipes/c.ts', '../test/support/target.js', 'import-x/no-restricted-paths'],
  ['recipes/d.ts', 'zookit/recipes', 'no-restricted-imports'],
  ['recipes/e.ts', 'generic-pool', 'no-restricted-imports'],
  ['recipes/locks/a.ts', '../../src/zookeeper.js', 'no-restricted-imports'],
  ['recipes/common/a.ts', '../locks/target.js', 'import-x/no-restricted-paths'],
  ['recipes/f.ts', 'jest', 'import-x/no-extraneous-dependencies'],
  ['src/session/g.ts', '../../cli/target.js', 'import-x/no-restricted-paths'],
  ['recipes/g.ts', '../cli/target.js', 'import-x/no-restricted-paths'],
  ['cli/a.ts', '../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['cli/b.ts', '../recipes/target.js', 'import-x/no-restricted-paths'],
  ['cli/c.ts', '../test/support/target.js', 'import-x/no-restricted-paths'],
  ['cli/d.ts', 'debug', 'no-restricted-imports'],
  ['test/server/b.ts', '../../cli/target.js', 'import-x/no-restricted-paths'],
  ['examples/a.ts', '../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['examples/b.ts', '../recipes/target.js', 'import-x/no-restricted-paths'],
  ['bench/a.ts', '../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['test/server/a.ts', '../../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['test/faults/a.ts', '../../recipes/target.js', 'import-x/no-restricted-paths'],
  ['test/support/a.ts', '../../src/zookeeper.js', 'import-x/no-restricted-paths'],
  ['src/session/cycle-1.ts', './cycle-2.js', 'local/no-import-cycle'],
  ['src/session/cycle-2.ts', './cycle-3.js', 'local/no-import-cycle'],
  ['src/session/cycle-3.ts', './cycle-1.js', 'local/no-import-cycle'],
  ['recipes/self.ts', './self.js', 'import-x/no-self-import'],
];

/** What must not be reported. */
const allowed: [file: string, specifier: string][] = [
  ['src/protocol/ok.ts', '../paths.js'],
  ['src/operations/ok.ts', '../protocol/target.js'],
  ['src/connection/ok.ts', '../protocol/target.js'],
  ['src/session/ok.ts', '../connection/target.js'],
  ['src/session/ok.ts', '../operations/target.js'],
  ['src/session/ok.ts', '../clock.js'],
  ['src/session/ok.ts', '../metrics/target.js'],
  ['src/connection/ok.ts', '../metrics/target.js'],
  ['src/metrics/ok.ts', '../clock.js'],
  ['src/admin/ok.ts', '../connection/target.js'],
  ['src/pool/ok.ts', '../zookeeper.js'],
  ['src/index.ts', './pool/target.js'],
  ['src/index.ts', './admin/target.js'],
  ['recipes/ok.ts', 'zookit'],
  ['recipes/ok.ts', './target.js'],
  ['recipes/locks/ok.ts', '../common/target.js'],
  ['recipes/leaders/ok.ts', '../locks/target.js'],
  ['recipes/ok.ts', 'node:os'],
  ['cli/ok.ts', 'zookit'],
  ['cli/ok.ts', 'zookit/recipes'],
  ['cli/ok.ts', './target.js'],
  ['cli/ok.ts', 'node:fs'],
  ['test/unit/ok.ts', '../../cli/target.js'],
  ['examples/ok.ts', 'zookit/recipes'],
  ['test/server/ok.ts', '../support/target.js'],
  ['test/server/ok.ts', 'zookit'],
  ['test/unit/ok.ts', '../../src/session/target.js'],
];

/** Code, not imports, that must be reported. */
const misplaced: [file: string, code: string, rule: string][] = [
  ['src/session/time-1.ts', 'export const at = Date.now();', 'no-restricted-properties'],
  ['src/session/time-2.ts', 'export const at = new Date();', 'no-restricted-syntax'],
  ['src/session/time-3.ts', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
  ['src/session/time-4.ts', 'setInterval(() => undefined, 1);', 'no-restricted-globals'],
  ['src/session/time-5.ts', 'export const at = performance.now();', 'no-restricted-globals'],
  ['src/session/time-6.ts', 'globalThis.setTimeout(() => undefined, 1);', 'no-restricted-properties'],
  ['src/session/time-7.ts', `export * as timers from 'node:timers/promises';`, 'no-restricted-syntax'],
  ['src/session/time-8.ts', `import { performance as p } from 'node:perf_hooks'; p.now();`, 'no-restricted-syntax'],
  ['src/session/index.ts', 'export const at = 1;', 'no-restricted-syntax'],
  ['src/session/enum.ts', 'export enum A { B }', 'no-restricted-syntax'],
  ['src/session/any.ts', 'export const a: any = 1;', '@typescript-eslint/no-explicit-any'],
  ['src/session/bang.ts', 'export const a = [1].find((x) => x > 0)!;', '@typescript-eslint/no-non-null-assertion'],
  ['src/session/float.ts', 'void 0; Promise.resolve(1);', '@typescript-eslint/no-floating-promises'],
  [
    'src/session/type-cycle-1.ts',
    `import type { B } from './type-cycle-2.js'; export interface A { b: B }`,
    'local/no-import-cycle',
  ],
  [
    'src/session/type-cycle-2.ts',
    `import type { A } from './type-cycle-1.js'; export interface B { a: A }`,
    'local/no-import-cycle',
  ],
  ['recipes/time.ts', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
];

/** Code that is right only where it stands. */
const placed: [file: string, code: string][] = [
  ['src/clock.ts', 'export const now = (): number => performance.now();'],
  ['recipes/common/waiting.ts', 'setTimeout(() => undefined, 1);'],
  ['recipes/common/sweeper.ts', 'setTimeout(() => undefined, 1);'],
  ['src/operations/index.ts', 'export const at = 1;'],
];

const targets = [
  ...['protocol', 'operations', 'metrics', 'connection', 'session', 'pool', 'admin', 'testing'].map(
    (layer) => `src/${layer}/target.ts`,
  ),
  ...['index', 'zookeeper', 'watcher', 'transaction', 'succession'].map((name) => `src/${name}.ts`),
  ...[
    'recipes/target.ts',
    'cli/target.ts',
    'recipes/index.ts',
    'recipes/common/target.ts',
    'recipes/locks/target.ts',
    'test/support/target.ts',
  ],
];

interface Report {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

let project: string;
const reported = new Map<string, string[]>();

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'zookit-lint-'));
  for (const [file, specifier] of [...forbidden, ...allowed]) importing(file, specifier);
  for (const [file, code] of [...misplaced, ...placed]) files[file] = `${files[file] ?? ''}${code}\n`;
  for (const file of targets) files[file] ??= '';
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), `${code}export {};\n`);
  }
  for (const name of ['package.json', 'tsconfig.json', 'eslint.config.mjs']) {
    copyFileSync(join(root, name), join(project, name));
  }
  for (const name of ['node_modules', 'scripts']) symlinkSync(join(root, name), join(project, name));
  const eslint = join(root, 'node_modules', 'eslint', 'bin', 'eslint.js');
  const args = [eslint, '--format', 'json', '--no-ignore', 'src', 'recipes', 'cli', 'test', 'examples', 'bench'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  for (const { filePath, messages } of JSON.parse(stdout) as Report[]) {
    reported.set(
      filePath.slice(filePath.indexOf('zookit-lint-')).replace(/^[^/\\]*[/\\]/, ''),
      messages.map(({ ruleId, message }) => ruleId ?? message),
    );
  }
}, 120_000);

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

describe('reports', () => {
  test.each(forbidden)('%s importing %s (%s)', (file, _, rule) => {
    expect(reported.get(file)).toContain(rule);
  });

  test.each(misplaced)('in %s: %s (%s)', (file, _, rule) => {
    expect(reported.get(file)).toContain(rule);
  });
});

describe('allows', () => {
  const directions = /^(import-x|local|no-restricted)/;

  test.each(allowed)('%s importing %s', (file) => {
    expect(reported.get(file)?.filter((rule) => directions.test(rule))).toEqual([]);
  });

  test.each(placed)('in %s: %s', (file) => {
    expect(reported.get(file)?.filter((rule) => rule.startsWith('no-restricted'))).toEqual([]);
  });
});
