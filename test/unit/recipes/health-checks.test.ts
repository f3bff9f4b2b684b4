import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { httpCheck, tcpCheck } from '../../../recipes/services/health-checks.js';
import { gate } from '../../support/until.js';

const never = new AbortController().signal;

async function listening(server: Server): Promise<{ readonly port: number } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function http(answer: RequestListener): ReturnType<typeof listening> {
  return listening(createHttpServer(answer));
}

describe('tcpCheck', () => {
  it('passes where a connection can be made, and leaves none', async () => {
    const ended = gate();
    await using server = await listening(createServer((socket) => socket.resume().once('close', () => ended.open())));
    await tcpCheck(server.port)(never);
    await ended.promise;
  });

  it('fails where none can be made, or not in time', async () => {
    const { port } = await (async () => {
      await using server = await listening(createServer());
      return { port: server.port };
    })();
    await expect(tcpCheck(port)(never)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(tcpCheck(port)(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORT_ERR' });
  });
});

describe('httpCheck', () => {
  it('passes with a good status', async () => {
    const seen: unknown[] = [];
    await using server = await http((request, response) => {
      seen.push(request.url, request.headers['x-check']);
      response.writeHead(204).end();
    });
    await httpCheck(`http://127.0.0.1:${server.port}/health`, { headers: { 'x-check': 'yes' } })(never);
    expect(seen).toEqual(['/health', 'yes']);
  });

  it.each([301, 404, 503])('fails with %d, unless that is accepted', async (status) => {
    await using server = await http((_, response) => response.writeHead(status, { location: '/other' }).end('no'));
    const url = new URL(`http://127.0.0.1:${server.port}/health`);
    await expect(httpCheck(url)(never)).rejects.toThrow(`has answered with the status ${status}`);
    await httpCheck(url, { accepts: (given) => given === status })(never);
  });

  it('ends when its time is over', async () => {
    const asked = gate();
    await using server = await http(() => asked.open());
    const time = new AbortController();
    const checking = httpCheck(`http://127.0.0.1:${server.port}/`)(time.signal);
    await asked.promise;
    time.abort();
    await expect(checking).rejects.toMatchObject({ name: 'AbortError' });
  });
});
