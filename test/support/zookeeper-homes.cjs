// @ts-check
// A home says which ZooKeeper a server runs: a folder, as ZOOKEEPER_HOME takes it, or `image:NAME`.
'use strict';

const {
  buildImage,
  hasEngine,
  hasImage,
  imageHome,
  imageName,
  isImage,
  versionOfImage,
} = require('./zookeeper-image.cjs');
const { canInstall, findZooKeeper, installZooKeeper, requireZooKeeper } = require('./zookeeper-install.cjs');

/** Of the suites, the one with the ZooKeeper that all tests are sure to pass on. */
const usualSuite = 'bookworm';

/**
 * The release that it is: `3.8.0`.
 * @param {string} home
 */
function versionOf(home) {
  return isImage(home) ? versionOfImage(home) : requireZooKeeper(home).version;
}

/**
 * The home of servers that name none: the image of ZOOKIT_TEST_IMAGE; undefined for the ZooKeeper that is installed; where
 * there is none, the project's image, if `provideZooKeeper` has built it.
 */
function usualHome() {
  const image = process.env['ZOOKIT_TEST_IMAGE'];
  if (image) return imageHome(image);
  return findZooKeeper() === undefined && hasImage(imageName(usualSuite))
    ? imageHome(imageName(usualSuite))
    : undefined;
}

/**
 * Sees to it that there is a ZooKeeper for tests and demo: one that is there, else one that can be installed, else the
 * project's image. Returns where it is from. Throws an error that says what to install.
 */
async function provideZooKeeper() {
  const { ZOOKIT_TEST_IMAGE: image } = process.env;
  if (image) return `the image ${image}`;
  if (findZooKeeper() === undefined && !canInstall() && hasEngine()) return await buildImage(usualSuite);
  return installZooKeeper().origin;
}

/**
 * The homes in a variable of the environment. Names of images have colons, so commas are between them.
 * @param {string | undefined} list
 */
function splitHomes(list) {
  return (list ?? '').split(',').filter(Boolean);
}

/** @param {readonly string[]} homes */
function joinHomes(homes) {
  return homes.join(',');
}

module.exports = { joinHomes, provideZooKeeper, splitHomes, usualHome, versionOf };
