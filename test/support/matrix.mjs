// The operations suite on one server of each version of ZooKeeper, then the tests of ensembles that mix them.
// Arguments: names of suites, if not all are wanted; --reports FOLDER for a jest report of each run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);
const { installZooKeeper, requireZooKeeper } = require('./zookeeper-install.cjs');
const { suites, unpackSuite } = require('./zookeeper-suites.cjs');

const { values, positionals } = parseArgs({ options: { reports: { type: 'string' } }, allowPositionals: true });

/** Files that are not about operations: the support itself, documents, and servers that are set up in ways of their own. */
const notOperations = ['/test/server/(support|docs|examples|tls|kerberos|sasl|admin|health|pool|follow-reconfig)[./-]'];

/** What is run: a ZooKeeper, and where it is from. */
function homes() {
  const given = (process.env.ZOOKEEPER_HOMES ?? '').split(delimiter).filter(Boolean);
  if (given.length > 0) return given.map((home) => ({ home, from: home }));
  const unknown = positionals.filter((name) => !suites.includes(name));
  if (unknown.length > 0) throw new Error(`no such suite: ${unknown.join(', ')}; there are ${suites.join(', ')}`);
  const wanted = positionals.length > 0 ? positionals : suites;
  return wanted.map((suite) => ({ home: unpackSuite(suite), from: `Debian ${suite}` }));
}

/** Runs jest; the name is printed with each test file. Returns whether all went well. */
function jest(name, args, env) {
  const { jest: config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = JSON.stringify({ ...config, ...args.config, rootDir: root, displayName: name });
  const command = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', named, ...args.paths];
  if (values.reports !== undefined) {
    mkdirSync(values.reports, { recursive: true });
    command.push('--json', '--outputFile', join(values.reports, `${name.replace(/\W+/g, '-')}.json`));
  }
  console.log(`\n== ${name}`);
  const stdio = ['ignore', 'inherit', 'inherit'];
  return spawnSync(process.execPath, command, { cwd: root, stdio, env: { ...process.env, ...env } }).status === 0;
}

try {
  // For the Java; the ZooKeeper that is installed is not among those that are run.
  if (!process.env.ZOOKEEPER_HOMES) installZooKeeper();
  const all = homes().map(({ home, from }) => ({ home, from, version: requireZooKeeper(home).version }));
  const operations = { paths: ['test/server'], config: { testPathIgnorePatterns: notOperations } };
  const failed = all.filter(({ home, from, version }) => {
    return !jest(`ZooKeeper ${version} (${from})`, operations, { ZOOKEEPER_HOME: home });
  });
  const names = failed.map(({ version }) => version);
  const line = (release) => all.filter(({ version }) => version.startsWith(release)).at(-1);
  const [old, young] = [line('3.8.'), line('3.9.')];
  if (old && young) {
    const name = `Ensemble of ${old.version}, ${old.version} and ${young.version}`;
    const members = [old, old, young].map(({ home }) => home).join(delimiter);
    if (!jest(name, operations, { ZOOKEEPER_HOME: old.home, ZOOKIT_TEST_HOMES: members })) names.push(name);
    const rolling = { paths: ['test/matrix'], config: { testMatch: ['<rootDir>/test/matrix/**/*.test.ts'] } };
    const env = { ZOOKEEPER_HOMES: all.map(({ home }) => home).join(delimiter) };
    if (!jest('Rolling upgrade', rolling, env)) names.push('rolling upgrade');
  } else {
    console.log('\nNo ensemble of several versions: that takes a ZooKeeper 3.8 and a 3.9');
  }
  if (names.length > 0) throw new Error(`\nFailed: ${names.join(', ')}`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
