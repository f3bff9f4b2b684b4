import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, runInThisContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OperationTimeoutError } from 'zookit';
import { NoInstanceError, ServiceCallError, serviceFetch, ServiceProviders, ServiceRegistry } from 'zookit/recipes';
import { type Certificate, Certificates } from '../../support/certificates.js';
import { type Handler, HttpInstance } from '../../support/http-instances.js';
import { gate, until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

describe('a call', () => {
  it('goes to each instance in turn, with path, query, headers and body', async () => {
    const services = await registry();
    const echo: Handler = (request, response, { id }) => void request.pipe(response.setHeader('x-id', id));
    await using one = await HttpInstance.start(services, 'one', { handler: echo });
    await using two = await HttpInstance.start(services, 'two', { handler: echo });
    await using call = serviceFetch(services);
    await until(() => call.providers.of('pricing').list.instances.length === 2, { what: 'both' });
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

  it('takes what fetch takes: a Request, forms, streams, redirections', async () => {
    const services = await registry();
    await using _ = await HttpInstance.start(services, 'one', {
      handler: (request, response) => {
        if (request.url === '/old') response.writeHead(302, { location: '/new' }).end();
        else request.pipe(response.setHeader('content-type', request.headers['content-type'] ?? 'none'));
      },
    });
    await using call = serviceFetch(services);
    const init = { method: 'PUT', body: 'text', headers: { 'content-type': 'a/b' } };
    const sent = await call(new Request('service://pricing/x', init));
    expect([sent.headers.get('content-type'), await sent.text()]).toEqual(['a/b', 'text']);
    const body = new FormData();
    body.set('a', 'b');
    const form = await call('service://pricing/x', { method: 'POST', body });
    expect(await form.text()).toContain('name="a"\r\n\r\nb\r\n');
    const stream = await call('service://pricing/x', { method: 'PUT', body: new Blob(['a']).stream(), duplex: 'half' });
    expect(await stream.text()).toBe('a');
    const moved = await call('service://pricing/old');
    expect([moved.redirected, new URL(moved.url).pathname, await moved.text()]).toEqual([true, '/new', '']);
    expect((await call('service://pricing/old', { redirect: 'manual' })).status).toBe(302);
    expect((await call('service://pricing/x', { method: 'HEAD' })).body).toBeNull();
  });

  it('goes by the template of an instance', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one', { uriSpec: '{scheme}://localhost:{port}/v1/' });
    await using call = serviceFetch(services);
    expect(await (await call('service://pricing/prices?x=1')).text()).toBe('one');
    expect([one.requests, one.hosts]).toEqual([['GET /v1/prices?x=1'], [`localhost:${one.port}`]]);
  });

  it('with a key goes to the same instance', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using two = await HttpInstance.start(services, 'two');
    await using call = serviceFetch(services, { provider: { strategy: 'consistentHash' } });
    await until(() => call.providers.of('pricing').list.instances.length === 2, { what: 'both' });
    for (let turn = 0; turn < 4; turn++) await (await call('service://pricing/', { key: 'customer 7' })).text();
    expect([one.calls, two.calls].sort()).toEqual([0, 4]);
  });

  it('waits for the first instance, bounded in time', async () => {
    const services = await registry();
    await using call = serviceFetch(services);
    await call.providers.of('pricing').ready();
    const error = await failureOf(call('service://pricing/', { timeout: 50 }));
    expect(error).toBeInstanceOf(NoInstanceError);
    expect((error as Error).message).toBe('GET service://pricing/: no instance to call: none is registered');
    const calling = call('service://pricing/');
    await using _ = await HttpInstance.start(services, 'one');
    expect(await (await calling).text()).toBe('one');
  });
});

describe('over TLS', () => {
  let certificates: Certificates;
  let server: Certificate;
  let ca: string;
  beforeAll(() => {
    certificates = new Certificates();
    const authority = certificates.authority('zookit');
    ca = authority.cert;
    server = authority.issue('/CN=pricing', { altNames: ['IP:127.0.0.1'] });
  });
  afterAll(() => certificates[Symbol.dispose]());

  const tls = () => ({ cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) });

  it('services:// asks at the sslPort, and hands on what fetch is told of certificates', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one', { tls: tls() });
    await using call = serviceFetch(services);
    // As `new Agent({ connect: { ca } })` of undici, which is in Node without a name.
    await fetch('data:,');
    const { constructor } = Reflect.get(
      runInThisContext('globalThis') as object,
      Symbol.for('undici.globalDispatcher.1'),
    ) as object;
    const dispatcher = Reflect.construct(constructor, [{ connect: { ca } }]) as NonNullable<RequestInit['dispatcher']>;
    try {
      for (const scheme of ['services', 'service']) {
        const response = await call(`${scheme}://pricing/x`, { dispatcher });
        expect([await response.text(), response.url]).toEqual(['one', `https://127.0.0.1:${one.port}/x`]);
      }
    } finally {
      await dispatcher.close();
    }
  });

  it('a certificate that nobody trusts: nothing was sent, so that even a POST goes elsewhere', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one', { tls: tls() });
    await using two = await HttpInstance.start(services, 'two');
    await using call = serviceFetch(services);
    await until(() => call.providers.of('pricing').list.instances.length === 2, { what: 'both' });
    const attempts: number[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const response = await call('service://pricing/', { method: 'POST' });
      expect(await response.text()).toBe('two');
      attempts.push(response.attempts);
    }
    // Whoever is asked first, at least one of the calls has come to the other one first.
    expect([one.calls, two.calls, Math.max(...attempts)]).toEqual([0, 2, 2]);
  });
});

describe('the body of a response', () => {
  it('is outstanding until it was read, cancelled, or forgotten', async () => {
    const services = await registry();
    const halves: (() => void)[] = [];
    const handler: Handler = (_, response) => {
      response.write('one half ');
      halves.push(() => response.end('and the other'));
    };
    await using one = await HttpInstance.start(services, 'one', { handler });
    await using two = await HttpInstance.start(services, 'two', { handler });
    await using call = serviceFetch(services, { provider: { strategy: 'leastOutstanding' } });
    await until(() => call.providers.of('pricing').list.instances.length === 2, { what: 'both' });
    const first = await call('service://pricing/');
    // As long as the first body is open, the other instance is asked.
    for (let turn = 0; turn < 3; turn++) {
      const other = await call('service://pricing/');
      expect(other.instance.id).not.toBe(first.instance.id);
      await other.body?.cancel();
    }
    halves[0]?.();
    expect(await first.text()).toBe('one half and the other');
    const before = [one.calls, two.calls];
    const again = [await call('service://pricing/'), await call('service://pricing/')];
    expect(again.map(({ instance }) => instance.id).sort()).toEqual(['one', 'two']);
    expect([one.calls, two.calls]).toEqual(before.map((count) => count + 1));
    for (const { body } of again) await body?.cancel();
  });

  it('that nobody reads is given up with its response, and its connection with it', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const services = await registry();
    let closed = 0;
    await using one = await HttpInstance.start(services, 'one', {
      handler: (_, response) => void response.on('close', () => closed++).write('the beginning'),
    });
    await using call = serviceFetch(services);
    for (let turn = 0; turn < 5; turn++) expect((await call('service://pricing/')).status).toBe(200);
    await until(() => (gc(), closed === 5), { what: 'the end of the connections' });
    expect(one.calls).toBe(5);
  });

  it('that breaks is a failure of the instance; one that the caller aborts is none', async () => {
    const services = await registry();
    const opened: (() => void)[] = [];
    await using one = await HttpInstance.start(services, 'one', {
      handler: (_, response) => {
        response.write('the beginning');
        opened.push(() => response.destroy());
      },
    });
    await using call = serviceFetch(services, { provider: { setAside: { failures: 1 } } });
    const provider = call.providers.of('pricing');
    const aborting = new AbortController();
    const aborted = await call('service://pricing/', { signal: aborting.signal });
    aborting.abort(new RangeError('enough'));
    await expect(aborted.text()).rejects.toThrow('enough');
    expect(provider.setAside).toEqual([]);
    const broken = await call('service://pricing/');
    opened[1]?.();
    await expect(broken.text()).rejects.toThrow('terminated');
    await until(() => provider.setAside.length === 1, { what: 'the instance to be set aside' });
    expect(one.calls).toBe(2);
  });
});

describe('failures', () => {
  it('set an instance aside, for all who share its provider', async () => {
    const services = await registry();
    await using providers = new ServiceProviders(services, { provider: { setAside: { failures: 2 } } });
    await using bad = await HttpInstance.start(services, 'bad', {
      handler: (_, response) => void response.writeHead(500).end(),
    });
    await using good = await HttpInstance.start(services, 'good');
    const calls = [serviceFetch(providers), serviceFetch(providers)];
    await until(() => providers.of('pricing').list.instances.length === 2, { what: 'both' });
    const statuses: number[] = [];
    for (let turn = 0; turn < 12; turn++) {
      const response = await calls[turn % 2]!('service://pricing/');
      statuses.push(response.status);
      await response.text();
    }
    expect([bad.calls, good.calls, statuses.filter((status) => status === 500).length]).toEqual([2, 10, 2]);
    expect(providers.of('pricing').setAside.map(({ id }) => id)).toEqual(['bad']);
  });

  it('name the instance and the reason', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await one.kill();
    await using call = serviceFetch(services);
    const error = await failureOf(call('service://pricing/prices', { attempts: 2 }));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect((error as Error).message).toMatch(
      /^GET service:\/\/pricing\/prices: no answer from 127\.0\.0\.1:\d+ \(one\): connect ECONNREFUSED 127\.0\.0\.1:\d+; it was attempt 2$/,
    );
  });

  it('by silence set it aside', async () => {
    const services = await registry();
    const silent: Handler = () => undefined;
    await using hangs = await HttpInstance.start(services, 'hangs', { handler: silent });
    await using call = serviceFetch(services, { provider: { setAside: { failures: 1 } } });
    await until(() => call.providers.of('pricing').list.instances.length === 1, { what: 'it' });
    expect(await failureOf(call('service://pricing/', { timeout: 500 }))).toBeInstanceOf(OperationTimeoutError);
    await using good = await HttpInstance.start(services, 'good');
    await until(() => call.providers.of('pricing').list.instances.length === 2, { what: 'both' });
    for (let turn = 0; turn < 3; turn++) expect(await (await call('service://pricing/')).text()).toBe('good');
    expect([hangs.calls, good.calls]).toEqual([1, 3]);
  });

  it('of the caller are none', async () => {
    const services = await registry();
    const asked = gate();
    await using _ = await HttpInstance.start(services, 'one', { handler: () => asked.open() });
    await using call = serviceFetch(services, { provider: { setAside: { failures: 1 } } });
    const aborting = new AbortController();
    const calling = failureOf(call('service://pricing/', { signal: aborting.signal }));
    await asked.promise;
    aborting.abort();
    expect(await calling).toMatchObject({ name: 'AbortError' });
    const body = new ReadableStream({ pull: () => Promise.reject(new RangeError('no more')) });
    const unsent = await failureOf(call('service://pricing/', { method: 'POST', body, duplex: 'half' }));
    expect(unsent).not.toBeInstanceOf(ServiceCallError);
    expect(call.providers.of('pricing').setAside).toEqual([]);
  });
});
