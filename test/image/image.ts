/** Runs the image that ZOOKIT_TEST_IMAGE names; `npm run test:image` builds and names it. */
import { spawnSync } from 'node:child_process';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function testImage(): string {
  const image = process.env.ZOOKIT_TEST_IMAGE;
  if (!image) throw new Error('there is no image to test: use npm run test:image');
  return image;
}

/** Runs a Docker command to its end. */
export function docker(...args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** A Docker command that has to succeed; gives what it wrote. */
export function mustDocker(...args: readonly string[]): string {
  const { status, stdout, stderr } = docker(...args);
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}:\n${stderr}${stdout}`);
  return stdout.trim();
}

export type Variables = Readonly<Record<string, string>>;

export const asArguments = (variables: Variables): string[] =>
  Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);

/** Runs a command of the image in a container of its own, which is gone afterwards. */
export function runImage(variables: Variables, command: readonly string[], options: readonly string[] = []): Outcome {
  return docker('run', '--rm', ...asArguments(variables), ...options, testImage(), ...command);
}
