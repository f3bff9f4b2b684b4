// @ts-check
'use strict';

const { spawnSync } = require('node:child_process');
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

/**
 * @typedef {object} Installation a ZooKeeper that can be started
 * @property {string} java the Java command
 * @property {string} classPath
 * @property {string} origin where it was found, for messages
 */

/** Where Debian and Ubuntu put their jars; the manifest of zookeeper.jar names most of the others that it needs. */
const debianJars = '/usr/share/java';

const whatToInstall = `No Apache ZooKeeper was found on this machine. Any one of these will do:
  - Debian, Ubuntu:  apt-get install libzookeeper-java default-jre-headless
  - anywhere:        a Java 11+ runtime on the PATH (or JAVA_HOME), an Apache ZooKeeper release unpacked,
                     and ZOOKEEPER_HOME set to its folder (the one that holds lib/*.jar)`;

/** @returns {string | undefined} */
function findJava() {
  const home = process.env['JAVA_HOME'];
  const candidates = [...(home ? [join(home, 'bin', 'java')] : []), 'java'];
  return candidates.find((java) => spawnSync(java, ['-version'], { stdio: 'ignore' }).status === 0);
}

/**
 * A release from apache.org keeps its jars in lib/; any other folder of jars is taken as it is.
 * @param {string} home
 */
function jarsOf(home) {
  const folder = [join(home, 'lib'), home].find(
    (dir) => existsSync(dir) && readdirSync(dir).some((name) => /^zookeeper-\d.*\.jar$|^zookeeper\.jar$/.test(name)),
  );
  if (folder === undefined) throw new Error(`ZOOKEEPER_HOME=${home}: there is no zookeeper jar, nor one in its lib/`);
  return [join(home, 'conf'), join(folder, '*')].join(':');
}

/** @returns {{ classPath: string, origin: string } | undefined} */
function findJars() {
  const home = process.env['ZOOKEEPER_HOME'];
  if (home) return { classPath: jarsOf(home), origin: `ZOOKEEPER_HOME=${home}` };
  const jar = join(debianJars, 'zookeeper.jar');
  if (!existsSync(jar)) return undefined;
  const others = ['slf4j-simple', 'netty-codec', 'netty-resolver', 'netty-transport-native-unix-common', 'servlet-api'];
  return { classPath: [jar, ...others.map((name) => join(debianJars, `${name}.jar`))].join(':'), origin: jar };
}

/** @returns {Installation | undefined} the ZooKeeper of ZOOKEEPER_HOME, or else the one that is installed */
function findZooKeeper() {
  const java = findJava();
  const jars = findJars();
  return java === undefined || jars === undefined ? undefined : { java, ...jars };
}

/** @returns {Installation} */
function requireZooKeeper() {
  const found = findZooKeeper();
  if (found === undefined) throw new Error(whatToInstall);
  return found;
}

/** As root on Debian or Ubuntu: installs what is missing. Elsewhere it throws an error that says what to install. */
function installZooKeeper() {
  const found = findZooKeeper();
  if (found !== undefined) return found;
  const apt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!apt || process.getuid?.() !== 0) throw new Error(whatToInstall);
  const missing = [
    ...(findJava() === undefined ? ['default-jre-headless'] : []),
    ...(findJars() === undefined ? ['libzookeeper-java'] : []),
  ];
  console.log(`Installing ${missing.join(' and ')} with apt-get`);
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const { status } = spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env });
    if (status !== 0) throw new Error(`apt-get ${String(args[0])} failed.\n${whatToInstall}`);
  }
  return requireZooKeeper();
}

module.exports = { findZooKeeper, requireZooKeeper, installZooKeeper };
