// @ts-check
// The project's own image of ZooKeeper. Where a folder with jars is named, as a home, `image:NAME` can stand.
'use strict';

const { execFile, spawnSync } = require('node:child_process');
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

/** @param {string} image */
function hasImage(image) {
  return spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0;
}

/** Whether there is an engine that answers. */
function hasEngine() {
  return spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Builds the image of a suite, or finds that it is built. Returns its home.
 * @param {string} suite
 */
async function buildImage(suite) {
  const image = imageName(suite);
  const begin = performance.now();
  await quietly(join(root, '.ci', 'base-image'), [suite]);
  // With the network of this machine, because that of containers cannot reach each machine's mirror of Debian.
  const args = ['--network', 'host', '--build-arg', `SUITE=${suite}`, '--tag', image, join(root, 'image')];
  await quietly('docker', ['build', ...args]);
  console.log(`Built ${image} in ${Math.round((performance.now() - begin) / 1_000)} s`);
  return imageHome(image);
}

/**
 * Builds the images of suites, two at a time: one waits for the network while another one computes.
 * @param {readonly string[]} wanted
 */
async function buildImages(wanted) {
  const left = [...wanted];
  /** @type {Map<string, string>} */
  const homes = new Map();
  const work = async () => {
    for (let suite = left.shift(); suite !== undefined; suite = left.shift()) homes.set(suite, await buildImage(suite));
  };
  await Promise.all([work(), work()]);
  return wanted.map((suite) => String(homes.get(suite)));
}

/**
 * Runs a command, of which nothing is shown unless it fails.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function quietly(command, args) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve();
      reject(new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** @param {string[]} args */
function docker(args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`docker ${args.join(' ')}: ${error?.message ?? stderr.trim()}`, { cause: error });
}

module.exports = {
  buildImage,
  buildImages,
  hasEngine,
  hasImage,
  imageHome,
  imageName,
  imageOf,
  isImage,
  versionOfImage,
};
