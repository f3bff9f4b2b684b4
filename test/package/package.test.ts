/** The package as a user gets it: packed, installed in empty projects, imported, required and type-checked. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const root = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const entries = ['zookit', 'zookit/recipes'];

let folder: string;
let tarball: string;
let project: string;

/** Runs a program to its end and returns what it wrote to stdout; throws with all that it wrote if it fails. */
function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status ?? 'a signal'}:\n${stdout}${stderr}`);
  return stdout;
}

const node = (cwd: string, ...args: string[]): string => run(cwd, process.execPath, ...args);

/** A development tool of this repository. */
const tool = (path: string): string => join(root, 'node_modules', path);

function write(path: string, content: string): string {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), content);
  return path;
}

function namesByImport(entry: string): string[] {
  const script = write(
    'names.mjs',
    `import * as entry from '${entry}'; console.log(JSON.stringify(Object.keys(entry)))`,
  );
  return JSON.parse(node(project, script)) as string[];
}

function namesByRequire(entry: string): string[] {
  const script = write('names.cjs', `console.log(JSON.stringify(Object.keys(require('${entry}'))))`);
  return JSON.parse(node(project, script)) as string[];
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'zookit-package-')));
  // The build is there already (prepare.mjs), and to make it anew would take it from under tests that run beside this.
  run(root, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
  project = join(folder, 'project');
  mkdirSync(project);
  write('package.json', '{ "name": "user", "version": "1.0.0", "private": true }\n');
  const types = `@types/node@${manifest.devDependencies['@types/node'] ?? ''}`;
  run(project, 'npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball, types);
}, 240_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('has three dependencies, which are what it installs', () => {
  expect(Object.keys(manifest.dependencies)).toEqual(['debug', 'generic-pool', 'long']);
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !/^[.@]|^undici-types$/.test(name));
  // `ms` is what `debug` depends on.
  expect(installed).toEqual(['debug', 'generic-pool', 'long', 'ms', 'zookit']);
});

test('the lockfile names no download addresses, which would be those of one machine', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8').includes('"resolved"')).toBe(false);
});

describe('the files of the package', () => {
  const installed = (): string[] =>
    readdirSync(join(project, 'node_modules', 'zookit'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test('are the build and the papers', () => {
    const top = readdirSync(join(project, 'node_modules', 'zookit'));
    const expected = ['dist', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
    expect(top.filter((name) => !expected.includes(name))).toEqual([]);
    expect(top).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'package.json']));
    const other = installed().filter((file) => !/\.(js|mjs|d\.ts|d\.mts|js\.map)$/.test(file));
    expect(other.map((file) => file.slice(file.lastIndexOf('/zookit/') + 8)).sort()).toEqual(
      top.filter((name) => name !== 'dist').sort(),
    );
  });

  test('name no folder of the machine that built it', () => {
    const traces = [root, realpathSync(root), ...(homedir() === '/' ? [] : [`${homedir()}/`])];
    for (const file of installed()) {
      const content = readFileSync(file, 'utf8');
      for (const trace of traces) {
        if (content.includes(trace)) throw new Error(`${file} contains ${trace}`);
      }
    }
  });
});

describe('the command line', () => {
  test('runs as it is installed', () => {
    const zookit = join(project, 'node_modules', '.bin', 'zookit');
    expect(run(project, zookit, '--version')).toBe(`${manifest.version}\n`);
    expect(run(project, 'npx', '--no-install', 'zookit', 'agent', '--help')).toMatch(/^Usage: zookit agent --connect/);
  });
});

describe.each(entries)('%s', (entry) => {
  test('has the same names by import and by require', () => {
    const byRequire = namesByRequire(entry).filter((name) => name !== '__esModule');
    expect(byRequire).not.toEqual([]);
    expect(namesByImport(entry).sort()).toEqual(byRequire.sort());
  });

  test('gives the same objects by import and by require', () => {
    const script = write(
      'same.mjs',
      `import * as imported from '${entry}';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('${entry}');
      console.log(Object.keys(imported).filter((name) => imported[name] !== required[name]).join());`,
    );
    expect(node(project, script).trim()).toBe('');
  });

  test('forbids to reach deeper', () => {
    const script = write('deep.cjs', `require('${entry}/dist/src/index.js')`);
    expect(() => node(project, script)).toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

test.each([
  ['node16', 'an ES module', 'use.mts', { module: 'node16', moduleResolution: 'node16' }],
  ['node16', 'CommonJS', 'use.cts', { module: 'node16', moduleResolution: 'node16' }],
  ['bundler', 'an ES module', 'use.ts', { module: 'esnext', moduleResolution: 'bundler' }],
])(
  'type-checks with moduleResolution %s from %s, libraries included',
  (_, __, file, resolution) => {
    const imports = entries.map((entry, index) => {
      const names = namesByRequire(entry).filter((name) => name !== '__esModule');
      const aliases = names.map((name) => `${name} as a${index}_${name}`);
      const uses = names.map((name) => `a${index}_${name}`);
      return `import { ${aliases.join(', ')} } from '${entry}';\nexport const all${index} = [${uses.join(', ')}];\n`;
    });
    // A name that does not exist must be an error: else everything might be `any`.
    const negative = `// @ts-expect-error\nimport { noSuchName } from 'zookit';\nexport const none: unknown = noSuchName;\n`;
    write(file, imports.join('') + negative);
    const compilerOptions = {
      ...resolution,
      target: 'ES2022',
      lib: ['ES2022'],
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    };
    const config = write(`tsconfig.${file}.json`, JSON.stringify({ compilerOptions, files: [file] }));
    node(project, tool('typescript/bin/tsc'), '-p', config);
  },
  60_000,
);

test('publint has nothing to say', () => {
  node(root, tool('publint/src/cli.js'), 'run', tarball, '--strict');
});

test('@arethetypeswrong/cli has nothing to say', () => {
  node(root, tool('@arethetypeswrong/cli/dist/index.js'), tarball);
}, 60_000);
