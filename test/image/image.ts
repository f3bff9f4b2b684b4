/** Commands of the image under test, in containers that are gone afterwards. */
import { imageUnderTest, outputOf, type Output } from '../support/docker.js';

/** What a server is configured by. */
export type Variables = Readonly<Record<string, string>>;

/** As arguments of `docker run`. */
export function asArguments(variables: Variables): string[] {
  return Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
}

/** Runs a command of the image to its end; without one, the server. `options` are those of `docker run`. */
export function runImage(
  variables: Variables,
  command: readonly string[],
  options: readonly string[] = [],
): Promise<Output> {
  return outputOf('docker', ['run', '--rm', ...asArguments(variables), ...options, imageUnderTest(), ...command]);
}
