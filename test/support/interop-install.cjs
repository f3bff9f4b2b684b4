// @ts-check
// What the tests of test/interop need: Curator and kazoo out of Debian's packages, and the compiled Java peer.
'use strict';

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const { cache } = require('./debian-packages.cjs');
const { canInstall, requireZooKeeper } = require('./zookeeper-install.cjs');

/** Where Debian and Ubuntu put their jars. */
const jars = '/usr/share/java';
/** The Python that Debian's packages are for. */
const python = '/usr/bin/python3';

/** The packages, and a file by which each is known. */
const needs = [
  { file: join(jars, 'zookeeper.jar'), name: 'libzookeeper-java' },
  { file: join(jars, 'curator-recipes.jar'), name: 'libcurator-recipes-java' },
  { file: join(jars, 'curator-x-discovery.jar'), name: 'libcurator-discovery-java' },
  { file: '/usr/bin/javac', name: 'default-jdk-headless' },
  { file: '/usr/lib/python3/dist-packages/kazoo/client.py', name: 'python3-kazoo' },
];

const missing = () => needs.filter(({ file }) => !existsSync(file)).map(({ name }) => name);

const sources = join(__dirname, '..', 'interop', 'peers', 'java');

/** Throws an error that says what to install, if anything is missing. */
function requirePeers() {
  const packages = missing();
  if (packages.length === 0) return;
  throw new Error(
    `The tests of test/interop run Apache Curator and kazoo, as Debian and Ubuntu package them. Missing are
${packages.join(', ')}. To install them:  apt-get install ${packages.join(' ')}`,
  );
}

/** The jars of Curator, and what it and ZooKeeper's client need. */
function curatorJars() {
  const names = readdirSync(jars).filter((name) =>
    /^(curator-(client|framework|recipes|x-discovery)|guava|failureaccess|jackson-(annotations|core|databind))[.]jar$/.test(
      name,
    ),
  );
  return [...names.map((name) => join(jars, name)), requireZooKeeper(jars).classPath].join(':');
}

/** Compiles the Java peer, unless that was done before. Returns its class path. */
function compilePeer() {
  const classPath = curatorJars();
  const files = readdirSync(sources).map((name) => join(sources, name));
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  const classes = join(cache, `curator-peer-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(classes)) {
    mkdirSync(cache, { recursive: true });
    // Two test files may be compiling at the same time.
    const work = mkdtempSync(`${classes}-`);
    const args = ['-nowarn', '-Xlint:-deprecation', '-d', work, '-cp', classPath, ...files];
    const { status, stderr } = spawnSync('javac', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`javac cannot compile test/interop/peers/java:\n${stderr}`);
    if (existsSync(classes)) rmSync(work, { recursive: true });
    else renameSync(work, classes);
  }
  return `${classes}:${classPath}`;
}

/** Sees to it that all is there: as root on Debian or Ubuntu it is installed. Throws an error that says what to install. */
function installPeers() {
  const packages = missing();
  if (packages.length > 0 && canInstall()) {
    console.log(`Installing ${packages.join(', ')} with apt-get`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]])
      spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env });
  }
  requirePeers();
  compilePeer();
}

/** The command of the Curator peer. */
function javaCommand() {
  requirePeers();
  const options = ['-Xmx96m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'];
  return { command: 'java', args: [...options, '-cp', compilePeer(), 'Peer'] };
}

/** The command of the kazoo peer. */
function pythonCommand() {
  requirePeers();
  return { command: python, args: [join(__dirname, '..', 'interop', 'peers', 'kazoo_peer.py')] };
}

module.exports = { installPeers, javaCommand, pythonCommand };
