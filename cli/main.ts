#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ZooKeeperError } from 'zookit';
import { agentCommand } from './agent-command.js';
import type { Command, Surroundings } from './command.js';
import { UsageError } from './usage-error.js';

/** As in sysexits.h: the command was used in a wrong way. */
const USAGE = 64;

/** The codes of errors that say that something was given wrong. */
const invalid: readonly string[] = ['INVALID_ARGUMENT', 'INVALID_PATH', 'INVALID_CONNECT_STRING'];

const commands: Readonly<Record<string, Command>> = { agent: agentCommand };

const help = `Usage: zookit COMMAND [OPTION...]

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

  zookit COMMAND --help    what a command does, and its options
  zookit --version         the version of zookit
`;

function version(): string {
  const manifest = JSON.parse(readFileSync(require.resolve('zookit/package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

async function run([name, ...args]: readonly string[], surroundings: Surroundings): Promise<number> {
  const { write } = surroundings;
  if (name === '--help' || name === '-h' || name === 'help') write(help);
  else if (name === '--version') write(`${version()}\n`);
  else {
    const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command !== undefined) return command.run(args, surroundings);
    const problem = name === undefined ? 'a command is missing' : `there is no command ${JSON.stringify(name)}`;
    throw new UsageError(`${problem}; known are ${Object.keys(commands).join(', ')}`);
  }
  return 0;
}

/** Resolves at the first signal to end; the second one ends the process at once. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

function report(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`zookit: ${message}\n`);
  const isUsage = error instanceof UsageError || (error instanceof ZooKeeperError && invalid.includes(error.code));
  if (isUsage) process.stderr.write(`Try: zookit --help\n`);
  else if (!(error instanceof ZooKeeperError) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return isUsage ? USAGE : 1;
}

const surroundings: Surroundings = {
  environment: process.env,
  write: (text) => void process.stdout.write(text),
  stopped: untilStopped(),
};

void run(process.argv.slice(2), surroundings)
  .catch(report)
  .then((code) => process.exit(code));
