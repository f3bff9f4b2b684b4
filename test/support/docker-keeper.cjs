// @ts-check
// Removes what a test has made in the Docker engine, when the test tells it to or has ended in whatever way (SIGKILL too):
// all whose name begins with that of its project, or that has it in a label: of this test, of a Compose project, of a stack.
// Arguments: the project. Ends with 0 when all is gone.
'use strict';

const { spawnSync } = require('node:child_process');

const project = process.argv[2] ?? '';
const labels = ['zookit.test', 'com.docker.compose.project', 'com.docker.stack.namespace'];

/** How long the engine may take to let go of the containers of a stack and of what they use, ms. */
const patience = 120_000;

/** @param {string[]} args */
function docker(...args) {
  const { stdout } = spawnSync('docker', args, { encoding: 'utf8', timeout: patience });
  return stdout ?? '';
}

/**
 * The ids of one kind of things that belong to the project.
 * @param {string[]} list
 */
function listed(...list) {
  const filters = [`name=${project}`, ...labels.map((label) => `label=${label}=${project}`)];
  const ids = filters.flatMap((filter) => docker(...list, '--quiet', '--filter', filter).split('\n'));
  return [...new Set(ids.filter(Boolean))];
}

/** @param {string[]} ids @param {string[]} remove */
function remove(ids, ...remove) {
  if (ids.length > 0) docker(...remove, ...ids);
  return ids.length;
}

/** Removes what is there; gives how much was. */
function sweep() {
  const inSwarm = docker('info', '--format', '{{.Swarm.ControlAvailable}}').trim() === 'true';
  const services = inSwarm ? remove(listed('service', 'ls'), 'service', 'rm') : 0;
  const paused = listed('ps', '--all', '--filter', 'status=paused');
  remove(paused, 'unpause');
  const containers = remove(listed('ps', '--all'), 'rm', '--force', '--volumes');
  const networks = remove(listed('network', 'ls'), 'network', 'rm');
  const volumes = remove(listed('volume', 'ls'), 'volume', 'rm', '--force');
  const secrets = inSwarm ? remove(listed('secret', 'ls'), 'secret', 'rm') : 0;
  return services + containers + networks + volumes + secrets;
}

process.on('disconnect', () => {
  const deadline = performance.now() + patience;
  let left;
  do left = sweep();
  while (left > 0 && performance.now() < deadline);
  process.exit(left === 0 ? 0 : 1);
});
// A Ctrl-C is for the test, whose end is told by the channel.
process.on('SIGINT', () => undefined);
