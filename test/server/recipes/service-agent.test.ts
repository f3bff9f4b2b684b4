import { readFileSync } from 'node:fs';
import { type Agent, get, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import {
  NoInstanceError,
  parseUriTemplate,
  SecureServiceAgent,
  ServiceAgent,
  type ServiceAgentOptions,
  ServiceCallError,
  serviceFetch,
  ServiceRegistry,
} from 'zookit/recipes';
import { Certificates } from '../../support/certificates.js';
import { type Handler, HttpInstance } from '../../support/http-instances.js';
import { gate, nextEvent, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

interface Sent {
  readonly status: number;
  readonly body: string;
}

/** Sends a request, and reads the answer. */
async function send(url: string, agent: Agent, options: RequestOptions = {}, body?: string): Promise<Sent> {
  const answered = gate<IncomingMessage>();
  const make = url.startsWith('https') || url.startsWith('services') ? httpsRequest : httpRequest;
  make(url, { agent, ...options })
    .on('response', (response) => answered.open(response))
    .on('error', (error) => answered.fail(error))
    .end(body);
  const response = await within(answered.promise, { what: `an answer of ${url}` });
  return { status: response.statusCode ?? 0, body: await text(response) };
}

async function both(agent: ServiceAgent | SecureServiceAgent): Promise<void> {
  await until(() => agent.providers.of('pricing').list.instances.length === 2, { what: 'both' });
}

describe('a request', () => {
  it('goes to each instance in turn, over connections that are kept', async () => {
    const services = await registry();
    const echo: Handler = (request, response, { id }) => void request.pipe(response.setHeader('x-id', id));
    await using one = await HttpInstance.start(services, 'one', { handler: echo });
    await using two = await HttpInstance.start(services, 'two', { handler: echo });
    await using agent = new ServiceAgent(services);
    await both(agent);
    for (let turn = 0; turn < 6; turn++) {
      const sent = await send(`service://pricing/prices/${turn}?a=b`, agent, { method: 'POST' }, `body ${turn}`);
      expect(sent).toEqual({ status: 200, body: `body ${turn}` });
    }
    expect([one.calls, two.calls, one.connections, two.connections]).toEqual([3, 3, 1, 1]);
    expect(one.requests[0]).toMatch(/^POST \/prices\/\d\?a=b$/);
    expect(one.hosts[0]).toBe('pricing');
  });

  it('of a library that knows only http goes by the end of the host; other hosts are left alone', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using agent = new ServiceAgent(services, { suffix: '.service' });
    expect(await send('http://pricing.service/x', agent)).toMatchObject({ body: 'one' });
    expect(await send(`http://127.0.0.1:${one.port}/y`, agent)).toMatchObject({ body: 'one' });
    expect(one.requests).toEqual(['GET /x', 'GET /y']);
    expect(() => get('service://pricing/', { agent })).toThrow('Protocol "service:" not supported');
  });

  it('goes over TLS, to who shows the right certificate', async () => {
    const services = await registry();
    using certificates = new Certificates();
    const authority = certificates.authority('zookit');
    const issued = authority.issue('/CN=pricing', { altNames: ['IP:127.0.0.1', 'DNS:pricing.example'] });
    const tls = { cert: readFileSync(issued.certFile), key: readFileSync(issued.keyFile) };
    await using one = await HttpInstance.start(services, 'one', { tls });
    await using agent = new SecureServiceAgent(services, { agent: { ca: authority.cert } });
    for (let turn = 0; turn < 2; turn++)
      expect(await send('services://pricing/', agent)).toMatchObject({ body: 'one' });
    await using named = new SecureServiceAgent(services, {
      agent: { ca: authority.cert, servername: 'pricing.example' },
      suffix: '.service',
    });
    for (let turn = 0; turn < 2; turn++)
      expect(await send('https://pricing.service/', named)).toMatchObject({ body: 'one' });
    await using other = new SecureServiceAgent(services, { agent: { ca: authority.cert, servername: 'cart.example' } });
    const error = await failureOf(send('services://pricing/', other));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect((error as Error).message).toContain('cart.example');
    await using plain = new ServiceAgent(services);
    expect(((await failureOf(send('service://pricing/', plain))) as Error).message).toContain('over TLS alone');
    expect([one.calls, one.connections]).toEqual([4, 3]);
  });

  it('waits for the first instance, and fails where there is none', async () => {
    const services = await registry();
    await using agent = new ServiceAgent(services, { provider: { timeout: 50 } });
    expect(await failureOf(send('service://pricing/', agent))).toBeInstanceOf(NoInstanceError);
    await using patient = new ServiceAgent(services);
    const sent = send('service://pricing/', patient);
    await using _ = await HttpInstance.start(services, 'one');
    expect(await sent).toMatchObject({ body: 'one' });
  });

  it('goes to another instance where the connection is refused, whatever its method', async () => {
    const services = await registry();
    await using dead = await HttpInstance.start(services, 'dead');
    await using good = await HttpInstance.start(services, 'good');
    await dead.kill();
    await using agent = new ServiceAgent(services, { provider: { setAside: { failures: 1 } } });
    await both(agent);
    for (let turn = 0; turn < 4; turn++)
      expect(await send('service://pricing/', agent, { method: 'POST' }, 'x')).toMatchObject({ body: 'good' });
    expect(good.calls).toBe(4);
    expect(agent.providers.of('pricing').setAside.map(({ id }) => id)).toEqual(['dead']);
    await good.kill();
    await until(() => Object.keys(agent.freeSockets).length === 0, { what: 'the end of the connections' });
    const error = await failureOf(send('service://pricing/', agent));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect((error as Error).message).toMatch(/no connection to 127\.0\.0\.1:\d+ \(\w+\): connect ECONNREFUSED/);
  });

  it('shares the connections that there may be', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using agent = new ServiceAgent(services, { agent: { maxSockets: 1 } });
    const sent = await Promise.all([1, 2, 3, 4].map((turn) => send(`service://pricing/${turn}`, agent)));
    expect(sent.map(({ body }) => body)).toEqual(['one', 'one', 'one', 'one']);
    expect(one.connections).toBe(1);
  });

  it('without connections that are kept', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using agent = new ServiceAgent(services, { agent: { keepAlive: false } });
    for (let turn = 0; turn < 2; turn++) await send('service://pricing/', agent);
    expect(one.connections).toBe(2);
  });

  it('that nobody listens to does not hold up the next one', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one');
    await using agent = new ServiceAgent(services, { agent: { maxSockets: 1 } });
    get('service://pricing/unheard', { agent });
    expect(await send('service://pricing/', agent)).toMatchObject({ body: 'one' });
    expect(one.calls).toBe(2);
  });
});

describe('how a request ends is told', () => {
  /** An agent that sets aside at the first failure, and the one instance it knows. */
  async function setUp(handler: Handler, options: ServiceAgentOptions = {}) {
    const services = await registry();
    const instance = await HttpInstance.start(services, 'one', { handler });
    const agent = new ServiceAgent(services, { provider: { setAside: { failures: 1 } }, ...options });
    const isAside = (): boolean => agent.providers.of('pricing').setAside.length > 0;
    const close = async (): Promise<void> => {
      await agent.close();
      await instance[Symbol.asyncDispose]();
    };
    return { agent, instance, isAside, [Symbol.asyncDispose]: close };
  }

  it.each([
    [404, false],
    [500, true],
  ])('with the status %d', async (status, expected) => {
    await using rig = await setUp((_, response) => void response.writeHead(status).end());
    expect(await send('service://pricing/', rig.agent)).toMatchObject({ status });
    await until(() => rig.isAside() === expected, { what: 'what is told' });
  });

  it('as a failure, where the instance breaks it off', async () => {
    await using rig = await setUp((_, response) => void response.destroy());
    expect(await failureOf(send('service://pricing/', rig.agent))).toMatchObject({ code: 'ECONNRESET' });
    await until(() => rig.isAside(), { what: 'what is told' });
  });

  it('as a failure, where the instance breaks off the answer', async () => {
    await using rig = await setUp((_, response) => void response.write('half', () => response.destroy()));
    expect(await failureOf(send('service://pricing/', rig.agent))).toMatchObject({ code: 'ECONNRESET' });
    await until(() => rig.isAside(), { what: 'what is told' });
  });

  it('as a failure, where the answer is no HTTP', async () => {
    await using rig = await setUp((request) => void request.socket.end('hello\r\n\r\n'));
    expect(await failureOf(send('service://pricing/', rig.agent))).toMatchObject({ code: 'HPE_INVALID_CONSTANT' });
    await until(() => rig.isAside(), { what: 'what is told' });
  });

  it('as a failure, where the instance is silent until the request gives up', async () => {
    await using rig = await setUp(() => undefined);
    const request = get('service://pricing/', { agent: rig.agent, timeout: 50 });
    request.on('timeout', () => request.destroy());
    const [error] = await nextEvent<[Error]>(request, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    await until(() => rig.isAside(), { what: 'what is told' });
  });

  it('as nothing, where the caller gives up', async () => {
    const asked = gate();
    await using rig = await setUp(() => asked.open());
    const request = get('service://pricing/', { agent: rig.agent });
    await asked.promise;
    request.destroy(new Error('enough'));
    expect(await nextEvent<[Error]>(request, 'error')).toMatchObject([{ message: 'enough' }]);
    await nextEvent(request, 'close').catch(() => undefined);
    expect(rig.isAside()).toBe(false);
  });

  it('as nothing, where the caller gives up the answer', async () => {
    await using rig = await setUp((_, response) => void response.write('half'));
    const request = get('service://pricing/', { agent: rig.agent });
    const [response] = await nextEvent<[IncomingMessage]>(request, 'response');
    const closed = nextEvent(request, 'close');
    response.on('error', () => undefined).destroy();
    await closed;
    expect(rig.isAside()).toBe(false);
  });

  it('as nothing, where a connection that was kept was just being closed', async () => {
    const services = await registry();
    await using one = await HttpInstance.start(services, 'one', {
      handler: (request, response, { calls }) => {
        if (calls === 1) response.end('first');
        else request.socket.destroy();
      },
    });
    await using agent = new ServiceAgent(services, { provider: { setAside: { failures: 1 } } });
    expect(await send('service://pricing/', agent)).toMatchObject({ body: 'first' });
    const request = get('service://pricing/', { agent });
    const closed = nextEvent(request, 'close');
    expect(await nextEvent<[Error]>(request, 'error')).toMatchObject([{ code: 'ECONNRESET' }]);
    await closed;
    expect([one.connections, agent.providers.of('pricing').setAside]).toEqual([1, []]);
  });
});

describe('a request that waits for its connection', () => {
  it('can be destroyed, and says so', async () => {
    const services = await registry();
    await using agent = new ServiceAgent(services);
    const aborting = new AbortController();
    const request = get('service://pricing/', { agent, signal: aborting.signal });
    const closed = nextEvent(request, 'close');
    const failed = nextEvent<[Error]>(request, 'error');
    aborting.abort();
    expect((await failed)[0]).toMatchObject({ name: 'AbortError' });
    await closed;
    expect(Object.hasOwn(request, 'destroy')).toBe(false);
  });

  it('is told of the end of the agent', async () => {
    const services = await registry();
    const agent = new ServiceAgent(services);
    const sent = failureOf(send('service://pricing/', agent));
    await agent.close();
    expect(await sent).toMatchObject({ code: 'CLOSED' });
    expect(await failureOf(send('service://pricing/', agent))).toMatchObject({ code: 'CLOSED' });
  });
});

describe('an agent', () => {
  it.each([
    ['attempts that are none', { attempts: 0 }, 'attempts is 0'],
    ['a time that is none', { connectTimeout: -1 }, 'connectTimeout is -1'],
    ['a suffix without a dot', { suffix: 'service' }, 'it must be like ".service"'],
    ['an unknown option', { keepAlive: true }, 'no option "keepAlive"'],
  ])('refuses %s', async (_, options, problem) => {
    const services = await registry();
    const make = () => new ServiceAgent(services, options as ServiceAgentOptions);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });

  it('cannot put the path of a template before that of a request', async () => {
    const services = await registry();
    await using _ = await HttpInstance.start(services, 'one', {
      uriSpec: parseUriTemplate('http://{address}:{port}/v1'),
    });
    await using agent = new ServiceAgent(services, { attempts: 1 });
    expect(((await failureOf(send('service://pricing/', agent))) as Error).message).toContain('a template with a path');
  });

  it('refuses a name that is none, at the request', async () => {
    await using agent = new ServiceAgent(await registry());
    expect(await failureOf(send('service://%2F/', agent))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(send('service://%E0%A4/', agent))).toBeInstanceOf(InvalidArgumentError);
  });

  it('shares what it knows with others who call', async () => {
    const services = await registry();
    await using bad = await HttpInstance.start(services, 'bad');
    await using good = await HttpInstance.start(services, 'good');
    await using call = serviceFetch(services, { provider: { setAside: { failures: 1 } } });
    await using agent = new ServiceAgent(call.providers);
    await both(agent);
    await bad.kill();
    for (let turn = 0; turn < 2; turn++) await send('service://pricing/', agent);
    for (let turn = 0; turn < 4; turn++) expect((await call('service://pricing/', { attempts: 1 })).ok).toBe(true);
    expect(good.calls).toBe(6);
  });
});
