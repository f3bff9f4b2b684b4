import { connect } from 'node:net';
import type { HealthCheck } from './health-gate.js';

/** How {@link httpCheck} asks. */
export interface HttpCheckOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Which status passes. Default: from 200 to 299. */
  readonly accepts?: ((status: number) => boolean) | undefined;
}

/** A check that passes where a TCP connection can be made. */
export function tcpCheck(port: number, host = '127.0.0.1'): HealthCheck {
  return (signal) =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host, signal });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
    });
}

/** A check that passes where a GET is answered with a good status. It does not follow redirections. */
export function httpCheck(url: string | URL, { headers, accepts = isGood }: HttpCheckOptions = {}): HealthCheck {
  return async (signal) => {
    const response = await fetch(url, { headers: { ...headers }, redirect: 'manual', signal });
    await response.body?.cancel();
    if (!accepts(response.status)) throw new Error(`${String(url)} has answered with the status ${response.status}`);
  };
}

function isGood(status: number): boolean {
  return status >= 200 && status <= 299;
}
