/** One server of the image, with ports of its own on this machine. */
import { imageUnderTest, type Container, type Project } from '../support/docker.js';
import { until } from '../support/until.js';
import { asArguments, type Variables } from './image.js';

export interface ServerOptions {
  /** Of `docker run`. */
  readonly options?: readonly string[];
  /** Ports of the container that are to be reached; default 2181. */
  readonly ports?: readonly number[];
}

/** Starts it; resolves when it serves. */
export async function startServing(
  project: Project,
  variables: Variables,
  { options = [], ports = [2181] }: ServerOptions = {},
): Promise<Container> {
  const published = ports.flatMap((port) => ['--publish', `127.0.0.1::${port}`]);
  const container = await project.run(...asArguments(variables), ...published, ...options, imageUnderTest());
  await until(
    async () => {
      const { Status } = await container.state();
      // Whoever waits for one that has ended should see why.
      if (Status === 'exited') return `ended:\n${await container.logs()}`;
      return (await container.health()).well && 'serves';
    },
    { what: 'the server to serve', timeout: 60_000, interval: 100 },
  ).then((outcome) => {
    if (outcome !== 'serves') throw new Error(outcome);
  });
  return container;
}
