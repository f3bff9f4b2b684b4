import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { OperationTimeoutError } from 'zookit';
import { NoInstanceError, serviceFetch, ServiceCallError, ServiceProviders, ServiceRegistry } from 'zookit/recipes';
import { type Handler, HttpInstance } from '../../support/http-instances.js';
import { gate, until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

describe('a call', () => {
  it('goes to each instance in turn, by path, query, headers and body', async () => {
    const services = await registry();
    const echo: Handler = (request, response, { id }) => {
      response.setHeader('x-id', id);
      request.pipe(response);
    };
    await using one = await HttpInstance.start(services, 'one', { handler: echo });
    await using two = await HttpInstance.start(services, 'two', { handler: echo });
    await using call = serviceFetch(services);
    await call.providers.of('pricing').ready();
    const ids: string[] = [];
    for (const turn of ['1', '2', '3', '4']) {
      const response = await call(`service://pricing/prices/${turn}?a=b`, { method: 'POST', body: turn });
      expect([response.instance.id, await response.text()]).toEqual([response.headers.get('x-id'), turn]);
      expect(response.url).toBe(`http://127.0.0.1:${response.instance.port}/prices/${turn}?a=b`);
      ids.push(response.instance.id);
    }
    expect([ids.sort().join(), one.calls, two.calls]).toEqual(['one,one,two,two', 2, 2]);
    expect(one.requests[0]).toMatch(/^POST \/prices\/\d\?a=b$/);
  });

  it('takes a Request with a body, and what fetch takes, and follows a redirection', async () => {
    const services = await registry();
    const handler: Handler = (request, response) => {
      if (request.url === '/old') response.writeHead(302, { location: '/new' }).end();
      else request.pipe(response.setHeader('x-type', request.headers['content-type'] ?? ''));
    };
    await using _ = await HttpInstance.start(services, 'one', { handler });
    await using call = serviceFetch(services);
    const init = { method: 'PUT', body: 'text', headers: { 'content-type': 'a/b' } };
    const sent = await call(new Request('service://pricing/x', init));
    expect([sent.headers.get('x-type'), await sent.text()]).toEqual(['a/b', 'text']);
    const form = new FormData();
    form.set('a', 'b');
    const formed = await call('service://pricing/x', { method: 'POST', body: form });
    expect((await new Response(formed.body, { headers: { 'content-type': formed.headers.get('x-type') ?? '' } }).formData()).get('a')).toBe('b');
    const moved = await call('service://pricing/old');
    expect([moved.redirected, new URL(moved.url).pathname, moved.status]).toEqual([true, '/new', 200]);
    const kept = await call('service://pricing/old', { redirect: 'manual' });
    expect(kept.status).toBe(302);
    const stream = await call('service://pricing/x', { method: 'POST', body: new Blob(['abc']).stream(), duplex: 'half' });
    expect(await stream.text()).toBe('abc');
  });

  it('goes by the template of an instance', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one', { uriSpec: '{scheme}://localhost:{port}/v1/' });
    await using call = serviceFetch(services);
    expect(await (await call('service://pricing/prices?x=1')).text()).toBe('one');
    expect([one.requests, one.hosts]).toEqual([['GET /v1/prices?x=1'], [`localhost:${one.port}`]]);
  });

  it('of services:// goes over TLS, to who shows the right certificate', async () => {
    ...
  });

  it('with a key goes to the same instance', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using two = await HttpInstance.start(services, 'two');
    await using call = serviceFetch(services, { provider: { strategy: 'consistentHash' } });
    for (let turn = 0; turn < 4; turn++) await (await call('service://pricing/', { key: 'customer 7' })).text();
    expect([one.calls, two.calls].sort()).toEqual([0, 4]);
  });
});
