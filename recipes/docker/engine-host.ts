import { InvalidArgumentError } from 'zookit';

/** Where an engine listens. */
export type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** The port that engines have by custom where they speak without TLS. */
const PLAIN_PORT = 2375;

/**
 * Reads what Docker's own tools take as DOCKER_HOST: `unix:///var/run/docker.sock` or `tcp://host:2375`, without TLS.
 * @throws InvalidArgumentError.
 */
export function readEngineHost(text: string): EngineAddress {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const asHttp = text.replace(/^tcp:/, 'http:');
  const url = asHttp.startsWith('http://') && URL.canParse(asHttp) ? new URL(asHttp) : undefined;
  if (url === undefined || url.hostname === '' || !['', '/'].includes(url.pathname) || url.username !== '')
    throw new InvalidArgumentError(
      `the Docker host is ${JSON.stringify(text)}; it must be like unix:///var/run/docker.sock or tcp://host:2375`,
    );
  const isPortGiven = /:\d+\/?$/.test(text);
  // A URL drops the port 80, which is what it takes http for.
  const port = isPortGiven ? Number(url.port || 80) : PLAIN_PORT;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
