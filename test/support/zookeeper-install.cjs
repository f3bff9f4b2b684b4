// @ts-check
'use strict';

const { spawnSync } = require('node:child_process');
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

/**
 * @typedef {object} Installation a ZooKeeper that can be started
 * @property {string} java the Java command
 * @property {string} classPath
 * @property {string} version as its jar is named: `3.8.0`
 * @property {string} origin where it was found, for messages
 */

/** @typedef {Omit<Installation, 'java'>} Jars */

/** Where Debian and Ubuntu put their jars. */
const debianJars = '/usr/share/java';

/**
 * What a server needs of such a folder, which also has the jars of others, and several loggers where there can be one.
 * The manifest of zookeeper.jar names them in /usr/share/java, where they may be of another version: so it comes last.
 */
const neededJars = new RegExp(
  `^(${[
    ...['commons-(cli|io)', 'jackson-(annotations|core|databind)', 'jctools-core', 'jetty9-(http|io|server|servlet)'],
    ...['jetty9-(security|util|util-ajax)', 'jline', 'log4j-1[.]2', 'metrics-core', 'netty-[a-z-]+', 'servlet-api'],
    ...['slf4j-(api|simple)', 'snappy-java', 'xercesImpl', 'xmlParserAPIs', 'zookeeper-jute'],
  ].join('|')})[.]jar$`,
);

const whatToInstall = `No Apache ZooKeeper was found on this machine. Any one of these will do:
  - Debian, Ubuntu:  apt-get install libzookeeper-java default-jre-headless
  - anywhere:        a Java 11+ runtime on the PATH (or JAVA_HOME), an Apache ZooKeeper release unpacked,
                     and ZOOKEEPER_HOME set to its folder (the one that holds lib/*.jar)
  - Linux:           a Docker engine on this machine that answers "docker version"; the image of image/ is built then`;

/** @returns {string | undefined} */
function findJava() {
  const home = process.env['JAVA_HOME'];
  const candidates = [...(home ? [join(home, 'bin', 'java')] : []), 'java'];
  return candidates.find((java) => spawnSync(java, ['-version'], { stdio: 'ignore' }).status === 0);
}

/**
 * A release from apache.org keeps its jars in lib/, up to 3.4 one level above; Debian keeps them with those of others.
 * @param {string} home
 * @param {string} [origin]
 * @returns {Jars}
 */
function jarsOf(home, origin = home) {
  for (const folder of [join(home, 'lib'), home]) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const version = names.map((name) => /^zookeeper-(\d+\.\d+\.\d+).*\.jar$/.exec(name)?.[1]).find(Boolean);
    if (version === undefined) continue;
    const classPath = names.includes('zookeeper.jar')
      ? [...names.filter((name) => neededJars.test(name)), 'zookeeper.jar'].map((name) => join(folder, name))
      : [join(home, 'conf'), join(folder, '*'), join(home, 'lib', '*')];
    return { classPath: classPath.join(':'), version, origin };
  }
  throw new Error(`${origin}: there is no jar of ZooKeeper, nor one in its lib/`);
}

/** @returns {Jars | undefined} */
function findJars() {
  const home = process.env['ZOOKEEPER_HOME'];
  if (home) return jarsOf(home, `ZOOKEEPER_HOME=${home}`);
  return existsSync(join(debianJars, 'zookeeper.jar')) ? jarsOf(debianJars) : undefined;
}

/**
 * @param {string} [home] a folder as ZOOKEEPER_HOME takes it
 * @returns {Installation | undefined} the ZooKeeper of `home`, or of ZOOKEEPER_HOME, or else the one that is installed
 */
function findZooKeeper(home) {
  const java = findJava();
  const jars = home === undefined ? findJars() : jarsOf(home);
  return java === undefined || jars === undefined ? undefined : { java, ...jars };
}

/**
 * @param {string} [home] as in `findZooKeeper`
 * @returns {Installation}
 */
function requireZooKeeper(home) {
  const found = findZooKeeper(home);
  if (found === undefined) throw new Error(whatToInstall);
  return found;
}

/** Whether this is root on Debian or Ubuntu. */
function canInstall() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Installs what is missing, where `canInstall`. Elsewhere it throws an error that says what to install. */
function installZooKeeper() {
  const found = findZooKeeper();
  if (found !== undefined) return found;
  if (!canInstall()) throw new Error(whatToInstall);
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

module.exports = { canInstall, findZooKeeper, requireZooKeeper, installZooKeeper };
