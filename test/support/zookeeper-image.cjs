// @ts-check
// The project's own image of ZooKeeper. Where a folder with jars is named, as a home, `image:NAME` can stand.
'use strict';

const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const prefix = 'image:';
const root = join(__dirname, '..', '..');

/** @type {Map<string, string>} */
const versions = new Map();

/** @param {string} suite of Debian */
function imageName(suite) {
  return `zookit-zookeeper:${suite}`;
}

/** @param {string} image */
function imageHome(image) {
  return prefix + image;
}

/** @param {string | undefined} home */
function isImage(home) {
  return home !== undefined && home.startsWith(prefix);
}

/** @param {string | undefined} home */
function imageOf(home) {
  if (home === undefined || !isImage(home)) throw new Error(`${home} is no image; one is written ${prefix}NAME`);
  return home.slice(prefix.length);
}

/**
 * The release that an image has: `3.8.0`.
 * @param {string} home
 */
function versionOfImage(home) {
  const image = imageOf(home);
  const version = versions.get(image) ?? docker(['run', '--rm', image, 'version']).trim();
  versions.set(image, version);
  return version;
}

/** Whether there is an engine that answers. */
function hasEngine() {
  return spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Builds the image of a suite, or finds that it is built; prints what the build prints. Returns its home.
 * @param {string} suite
 */
function buildImage(suite) {
  const image = imageName(suite);
  show(join(root, '.ci', 'base-image'), [suite]);
  // With the network of this machine, because that of containers cannot reach each machine's mirror of Debian.
  const args = ['--network', 'host', '--build-arg', `SUITE=${suite}`, '--tag', image, join(root, 'image')];
  show('docker', ['build', ...args]);
  return imageHome(image);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function show(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

/** @param {string[]} args */
function docker(args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`docker ${args.join(' ')}: ${error?.message ?? stderr.trim()}`, { cause: error });
}

module.exports = { buildImage, hasEngine, imageHome, imageOf, isImage, versionOfImage };
