// @ts-check
// Plain JavaScript: jest applies moduleNameMapper to no global setup, so one in TypeScript could not import `./x.js`.
'use strict';

const { splitHomes } = require('./zookeeper-homes.cjs');
const { startMembers, startServer } = require('./zookeeper-process.cjs');

/**
 * Starts the server that shared.ts hands to all test files, unless only tests that need none were asked for. Where
 * ZOOKIT_TEST_HOMES names several ZooKeepers, it is a member of an ensemble of them: the first one.
 * @param {import('jest').Config & { testPathPatterns?: { patterns: string[] } }} config
 */
module.exports = async function globalSetup({ testPathPatterns }) {
  const patterns = testPathPatterns?.patterns ?? [];
  if (patterns.length > 0 && patterns.every((pattern) => /test.(unit|package|matrix|image|swarm)\b/.test(pattern)))
    return;
  const homes = splitHomes(process.env['ZOOKIT_TEST_HOMES']);
  const servers =
    homes.length > 0
      ? await startMembers(homes.length, { homes, heap: 256, config: { reconfigEnabled: false } })
      : [await startServer({ heap: 256 })];
  const versions = await Promise.all(servers.map((server) => server.version()));
  process.env['ZOOKIT_TEST_SERVER'] = servers[0]?.connectString;
  // What the oldest one knows is what all of them do.
  process.env['ZOOKIT_TEST_VERSION'] = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0];
  // Jest runs the teardown in the same process and gives it no other way to find them.
  Object.assign(globalThis, { sharedZooKeepers: servers });
};
