// @ts-check
// Plain JavaScript: jest applies moduleNameMapper to no global setup, so one in TypeScript could not import `./x.js`.
'use strict';

const { startServer } = require('./zookeeper-process.cjs');

/**
 * Starts the server that shared.ts hands to all test files, unless only tests that need none were asked for.
 * @param {import('jest').Config & { testPathPatterns?: { patterns: string[] } }} config
 */
module.exports = async function globalSetup({ testPathPatterns }) {
  const patterns = testPathPatterns?.patterns ?? [];
  if (patterns.length > 0 && patterns.every((pattern) => /test.(unit|package)\b/.test(pattern))) return;
  const server = await startServer({ heap: 256 });
  process.env['ZOOKIT_TEST_SERVER'] = server.connectString;
  // Jest runs the teardown in the same process and gives it no other way to find the server.
  Object.assign(globalThis, { sharedZooKeeper: server });
};
