// @ts-check
// A keeper is a small process between a test and a process that the test started. It outlives the test by a moment:
// when the channel to its parent closes, however the parent ended (SIGKILL too), it kills what it keeps, runs the last
// command it was told to run, and removes the folder it was told to remove. Messages in: start. Messages out: started,
// failed, exited.
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { rmSync } = require('node:fs');

const [folder, command, ...args] = process.argv.slice(2);
/** @type {import('node:child_process').ChildProcess | undefined} */
let child;

/** @param {object} message */
function tell(message) {
  if (process.connected) process.send?.(message, () => undefined);
}

function end() {
  if (command) spawnSync(command, args, { stdio: 'ignore' });
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}

process.on('message', (/** @type {import('./kept-process.cjs').Order} */ order) => {
  const { command, args, cwd, env } = order.start;
  child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd, env });
  child.on('spawn', () => tell({ started: child?.pid }));
  child.on('error', (error) => tell({ failed: error.message }));
  child.on('exit', (code, signal) => {
    child = undefined;
    if (process.connected) tell({ exited: { code, signal } });
    else end();
  });
});

process.on('disconnect', () => {
  if (child === undefined) end();
  else child.kill('SIGKILL');
});
