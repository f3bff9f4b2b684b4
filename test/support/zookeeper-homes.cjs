// @ts-check
// A home says which ZooKeeper a server runs: a folder, as ZOOKEEPER_HOME takes it, or `image:NAME`.
'use strict';

const { isImage, versionOfImage } = require('./zookeeper-image.cjs');
const { requireZooKeeper } = require('./zookeeper-install.cjs');

/**
 * The release that it is: `3.8.0`.
 * @param {string} home
 */
function versionOf(home) {
  return isImage(home) ? versionOfImage(home) : requireZooKeeper(home).version;
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

module.exports = { joinHomes, splitHomes, versionOf };
