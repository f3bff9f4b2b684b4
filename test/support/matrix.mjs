// The operations suite on one server of each version of ZooKeeper, then the tests of ensembles that mix them.
// Arguments: names of suites, if not all are wanted; --image for the project's image in place of unpacked jars, and for
// the tests of the image itself; --recipes SUITES if recipes are to be tested on some of them only (`mixed`: on the ensemble
// of several, too; `none`: nowhere); --reports FOLDER for a jest report of each run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);
const { joinHomes, versionOf } = require('./zookeeper-homes.cjs');
const { buildImages, imageOf, isImage } = require('./zookeeper-image.cjs');
const { installZooKeeper } = require('./zookeeper-install.cjs');
const { suites, unpackSuite } = require('./zookeeper-suites.cjs');

const { values, positionals } = parseArgs({
  options: {
    image: { type: 'boolean', default: false },
    recipes: { type: 'string', default: [...suites, 'mixed'].join() },
    reports: { type: 'string' },
  },
  allowPositionals: true,
});

/** Servers that are set up in ways of their own, and the support itself. */
const ownServers = ['/test/server/(support|tls|kerberos|sasl|admin|health|pool|follow-reconfig)[./-]'];

/** What goes by documents, examples and the command line: it says nothing of a server that the recipes do not. */
const aboutPrograms = '/test/server/(docs|examples|cli)[.-]';

/** What is left of test/server without these, on one suite or on several. */
function operationsOn(where) {
  const left = values.recipes.split(',').includes(where) ? [] : ['/test/server/recipes/'];
  return { paths: ['test/server'], config: { testPathIgnorePatterns: [...ownServers, aboutPrograms, ...left] } };
}

/** The tests of these folders are not those of `npm test`. */
const only = (...folders) => ({
  paths: folders.map((folder) => `test/${folder}`),
  config: { testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`) },
});

/** What is run: a ZooKeeper, and where it is from. */
async function homes() {
  const unknown = positionals.filter((name) => !suites.includes(name));
  if (unknown.length > 0) throw new Error(`no such suite: ${unknown.join(', ')}; there are ${suites.join(', ')}`);
  const wanted = suites.filter((suite) => positionals.length === 0 || positionals.includes(suite));
  if (values.image) {
    const images = await buildImages(wanted);
    return images.map((home) => ({ home, from: imageOf(home), where: imageOf(home).split(':').at(-1) }));
  }
  const given = (process.env.ZOOKEEPER_HOMES ?? '').split(delimiter).filter(Boolean);
  if (given.length > 0) return given.map((home) => ({ home, from: home, where: suites[0] }));
  // For the Java; the ZooKeeper that is installed is not among those that are run.
  installZooKeeper();
  return wanted.map((suite) => ({ home: unpackSuite(suite), from: `Debian ${suite}`, where: suite }));
}

/** The variables by which tests run on a home. */
const on = (home) => (isImage(home) ? { ZOOKIT_TEST_IMAGE: imageOf(home) } : { ZOOKEEPER_HOME: home });

/** Names of the runs that failed. */
const failed = [];

/** Runs jest; the name is printed with each test file. `aside`: beside another run, whose output is not to be torn. */
async function jest(name, { paths, config }, env, { aside = false } = {}) {
  const { jest: usual } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = JSON.stringify({ ...usual, ...config, rootDir: root, displayName: name });
  const command = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', named, ...paths];
  if (values.reports !== undefined) {
    mkdirSync(values.reports, { recursive: true });
    command.push('--json', '--outputFile', join(values.reports, `${name.replace(/\W+/g, '-')}.json`));
  }
  const output = aside ? 'pipe' : 'inherit';
  if (!aside) console.log(`\n== ${name}`);
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (told += chunk));
  const [status] = await once(child, 'close');
  if (aside) console.log(`\n== ${name}\n${told}`);
  if (status !== 0) failed.push(name);
}

/** Ensembles that take several versions. */
async function mixed(all) {
  const line = (release) => all.filter(({ version }) => version.startsWith(release)).at(-1);
  const [old, young] = [line('3.8.'), line('3.9.')];
  if (old === undefined || young === undefined) {
    console.log('\nNo ensemble of several versions: that takes a ZooKeeper 3.8 and a 3.9');
    return;
  }
  const members = [old, old, young];
  const name = `Ensemble of ${members.map(({ version }) => version).join(', ')}`;
  await jest(name, operationsOn('mixed'), {
    ...on(old.home),
    ZOOKIT_TEST_HOMES: joinHomes(members.map(({ home }) => home)),
  });
  await jest('Rolling upgrade', only('matrix'), { ZOOKIT_TEST_UPGRADE: joinHomes(all.map(({ home }) => home)) });
}

/** The operations suite on each version and on several at once. */
async function versions(all) {
  for (const { home, from, where, version } of all)
    await jest(`ZooKeeper ${version} (${from})`, operationsOn(where), on(home));
  await mixed(all);
}

/** The tests that drain the node of the Swarm, on which the tasks of others would be. */
const draining = '/test/swarm/services[.-]';
/** The commands of the image's page: they are about the nodes and stacks of a Swarm, too. */
const commands = '/test/image/docs[.-]';

/** A folder without the files of a pattern. */
function without(pattern, folder) {
  const { paths, config } = only(folder);
  return { paths, config: { ...config, testPathIgnorePatterns: [pattern] } };
}

/** The same for images, and what only an image has: its variables and stacks; then servers set up in ways of their own. */
async function images(all) {
  // What the image is made of if nothing else is said.
  const { home, from } = all.find(({ home }) => imageOf(home).endsWith(':trixie')) ?? all.at(-1);
  const env = on(home);
  const aside = { aside: true };
  // An update of a stack is mostly waiting, for minutes.
  await Promise.all([versions(all), jest(`Swarm ${from}`, without(draining, 'swarm'), env, aside)]);
  // None of the containers here are tasks.
  await Promise.all([
    jest(`Image ${from}`, without(commands, 'image'), env),
    jest(`Swarm services ${from}`, { ...only('swarm'), paths: [draining] }, env, aside),
  ]);
  await jest(`Image commands ${from}`, { ...only('image'), paths: [commands] }, env);
  await jest(`Servers of ${from}`, { paths: ownServers, config: {} }, env);
}

/** Makes the engine a Swarm of one node meanwhile, if it is in none: else the test file that ends first would leave it. */
async function inSwarm(run) {
  const docker = (...args) => spawnSync('docker', args, { encoding: 'utf8' }).stdout.trim();
  const joined = docker('info', '--format', '{{.Swarm.LocalNodeState}}') === 'active';
  if (!joined) docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
  try {
    await run();
  } finally {
    if (!joined) docker('swarm', 'leave', '--force');
  }
}

try {
  const all = (await homes()).map((each) => ({ ...each, version: versionOf(each.home) }));
  await (values.image ? inSwarm(() => images(all)) : versions(all));
  if (failed.length > 0) throw new Error(`\nFailed: ${failed.join(', ')}`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
