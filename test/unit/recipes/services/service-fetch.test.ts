import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, NoAuthError, OperationTimeoutError } from 'zookit';
import {
  NoInstanceError,
  ServiceCallError,
  type ServiceFetchOptions,
  serviceFetch,
  ServiceProviders,
  type ServiceRequestInit,
} from 'zookit/recipes';
import { failureOf } from '../../../faults/rig.js';
import { until } from '../../../support/until.js';
import { FakeRegistry, instance } from './fake-providers.js';

type Answer = Response | Error | ((url: URL, init: RequestInit) => Response | Promise<Response>);

/** A network: what is answered at each host, call after call; the last answer stays. */
class Network {
  readonly seen: string[] = [];
  readonly bodies: unknown[] = [];

  constructor(private readonly answers: Readonly<Record<string, readonly Answer[]>>) {}

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init.method ?? (input instanceof Request ? input.method : 'GET');
    this.seen.push(`${method} ${url.href}`);
    this.bodies.push(init.body ?? null);
    const answers = this.answers[url.hostname] ?? [];
    const nth = this.seen.filter((each) => each.includes(url.host)).length - 1;
    const answer = answers[Math.min(nth, answers.length - 1)] ?? new Error(`nobody is at ${url.hostname}`);
    if (answer instanceof Error) throw new TypeError('fetch failed', { cause: answer });
    return typeof answer === 'function' ? answer(url, init) : answer;
  };
}

function coded(code: string, syscall?: string): Error {
  return Object.assign(new Error(code), { code, ...(syscall !== undefined && { syscall }) });
}

const refused = coded('ECONNREFUSED', 'connect');
const reset = coded('ECONNRESET', 'read');
const fine = (): Response => new Response('fine', { status: 200 });
const status = (code: number) => (): Response => new Response(String(code), { status: code });

/** Does not answer before it is told not to. */
const silent = (_: URL, { signal }: RequestInit): Promise<Response> =>
  new Promise((__, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });

/** Two instances, `a` and `b`, which are asked in this order. */
function setUp(answers: Readonly<Record<string, readonly Answer[]>>, options: ServiceFetchOptions = {}) {
  const registry = new FakeRegistry([instance('a', { address: 'a' }), instance('b', { address: 'b' })]);
  const network = new Network(answers);
  return { registry, network, call: serviceFetch(registry, { fetch: network.fetch, ...options }) };
}

describe('a call', () => {
  it('goes to an instance, and tells where the answer came from', async () => {
    const { registry, network, call } = setUp({ a: [fine] });
    const response = await call('service://pricing/prices/7?day=1', { headers: { accept: 'text/plain' } });
    expect([response.status, response.ok, response.instance.id]).toEqual([200, true, 'a']);
    expect(await response.text()).toBe('fine');
    expect(network.seen).toEqual(['GET http://a:8080/prices/7?day=1']);
    expect([registry.ended, registry.outstanding]).toEqual([['a succeeded'], 0]);
  });

  it('takes an URL and a Request, as fetch does', async () => {
    const { network, call } = setUp({ a: [fine], b: [fine] });
    await call(new URL('service://pricing/1'));
    await call(new Request('service://pricing/2', { method: 'PUT', headers: { 'x-a': 'b' }, body: 'text' }));
    expect(network.seen).toEqual(['GET http://a:8080/1', 'PUT http://b:8080/2']);
  });

  it('makes one provider for each service, as it is told, and asks with the key', async () => {
    const { registry, call } = setUp({ a: [fine], b: [fine] });
    await call('service://pricing/', { key: 'customer 7' });
    await call('service://pricing/');
    await call('service://cart/');
    expect(registry.made).toEqual(['pricing', 'cart']);
    expect(registry.picks[0]).toMatchObject({ key: 'customer 7' });
    await call.close();
    expect(registry.closed).toBe(2);
    expect(await failureOf(call('service://pricing/'))).toMatchObject({ code: 'CLOSED' });
  });

  it('keeps to the providers that it is given, and does not close them', async () => {
    const { registry, network } = setUp({ a: [fine] });
    const providers = new ServiceProviders(registry);
    await using call = serviceFetch(providers, { fetch: network.fetch });
    await call('service://pricing/');
    await call.close();
    expect([call.providers === providers, registry.closed]).toEqual([true, 0]);
  });

  it('is refused where it is no call of a service, and nothing is sent', async () => {
    const { registry, call } = setUp({});
    for (const [input, init] of [
      ['http://pricing/', {}],
      ['service://pricing:80/', {}],
      ['service://pricing/', { attempts: 0 }],
      ['service://pricing/', { timeout: -1 }],
      ['service://pricing/', { attemptTimeout: NaN }],
    ] as [string, ServiceRequestInit][])
      expect(await failureOf(call(input, init))).toBeInstanceOf(InvalidArgumentError);
    expect(registry.picks).toEqual([]);
  });

  it.each([
    ['an unknown option', { retries: 3 }, 'no option "retries"'],
    ['attempts that are none', { attempts: 1.5 }, 'attempts is 1.5'],
    ['a time that is none', { timeout: 0 }, 'timeout is 0'],
    ['statuses that are none', { retryStatuses: 503 }, 'retryStatuses'],
    ['a rule that is none', { isFailure: true }, 'isFailure'],
    ['a fetch that is none', { fetch: 'fetch' }, 'fetch is no function'],
    ['one strategy for all', { provider: { strategy: { pick: () => undefined } } }, 'one provider'],
  ])('refuses %s', (_, options, problem) => {
    const make = () => serviceFetch(new FakeRegistry([]), options as unknown as ServiceFetchOptions);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });
});

describe('tries again', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s, at another instance', async (method) => {
    const { registry, network, call } = setUp({ a: [reset], b: [fine] });
    const body = method === 'PUT' ? { body: 'text' } : {};
    const response = await call('service://pricing/7', { method, ...body });
    expect([response.instance.id, network.seen.length]).toEqual(['b', 2]);
    expect(registry.ended[0]).toBe('a failed');
    expect([...(registry.picks[1]?.exclude ?? [])]).toEqual(['a']);
  });

  it.each([
    ['what has not reached the instance', refused, {}],
    ['what the caller says may be carried out twice', reset, { idempotent: true }],
    ['what has a key that says so', reset, { headers: { 'Idempotency-Key': '1' } }],
  ])('a POST: %s', async (_, failure, init) => {
    const { network, call } = setUp({ a: [failure], b: [fine] });
    const response = await call('service://pricing/', { method: 'POST', body: 'text', ...init });
    expect([response.instance.id, network.bodies]).toEqual(['b', ['text', 'text']]);
  });

  it.each([
    ['a POST that may have been carried out', { method: 'POST', body: 'text' }, reset],
    ['a PUT that the caller wants once', { method: 'PUT', body: 'text', idempotent: false }, reset],
    [
      'a stream, not even where the connection is refused',
      { method: 'PUT', body: new Blob(['a']).stream(), duplex: 'half' as const },
      refused,
    ],
  ])('but not %s', async (_, init, failure) => {
    const { registry, call } = setUp({ a: [failure], b: [fine] });
    const error = await failureOf(call('service://pricing/', init));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect(registry.ended).toEqual(['a failed']);
  });

  it('so often as it is told, and says what the last one came to', async () => {
    const { registry, call } = setUp({ a: [refused], b: [reset] }, { attempts: 2 });
    const error = await failureOf<ServiceCallError>(call('service://pricing/prices/7?secret=1'));
    expect(error).toBeInstanceOf(ServiceCallError);
    expect(error.message).toBe(
      'GET service://pricing/prices/7: no answer from b:8080 (b): ECONNRESET; it was attempt 2',
    );
    expect(error.attempts.map(({ instance: { id } }) => id)).toEqual(['a', 'b']);
    expect((error.cause as Error).cause).toBe(reset);
    expect(registry.ended).toEqual(['a failed', 'b failed']);
    const once = await failureOf<ServiceCallError>(call('service://pricing/', { attempts: 1 }));
    expect(once.attempts).toHaveLength(1);
  });

  it('at the same instance, where there is no other', async () => {
    const { registry, call, network } = setUp({ a: [refused, refused, fine] });
    registry.instances = registry.instances.slice(0, 1);
    const response = await call('service://pricing/');
    expect([response.status, network.seen.length]).toEqual([200, 3]);
    await response.text();
    expect(registry.outstanding).toBe(0);
  });

  it('an instance that cannot be called counts as one that was', async () => {
    const { registry, call } = setUp({ b: [fine] });
    registry.instances = [instance('a', { port: null }), ...registry.instances.slice(1)];
    expect((await call('service://pricing/', { method: 'POST' })).instance.id).toBe('b');
    expect(registry.ended).toEqual(['a failed']);
  });
});

describe('an answer', () => {
  it('with 502, 503 or 504 to an idempotent request: another instance is asked', async () => {
    for (const code of [502, 503, 504]) {
      const { registry, call } = setUp({ a: [status(code)], b: [fine] });
      expect((await call('service://pricing/')).instance.id).toBe('b');
      expect(registry.ended[0]).toBe('a failed');
    }
  });

  it('is handed on where it is the last one, or the request must not be sent twice', async () => {
    const { registry, call } = setUp({ a: [status(503)], b: [status(503)] });
    const posted = await call('service://pricing/', { method: 'POST' });
    expect([posted.status, await posted.text()]).toEqual([503, '503']);
    const last = await call('service://pricing/', { attempts: 2 });
    expect([last.status, await last.text()]).toEqual([503, '503']);
    expect(registry.ended).toEqual(['a failed', 'b failed', 'a failed']);
  });

  it.each([
    [200, 'succeeded'],
    [302, 'succeeded'],
    [404, 'succeeded'],
    [429, 'succeeded'],
    [500, 'failed'],
    [501, 'failed'],
  ])('with %d: the instance has %s', async (code, expected) => {
    const { registry, call } = setUp({ a: [status(code)] });
    const response = await call('service://pricing/');
    await response.text();
    expect([response.status, registry.ended]).toEqual([code, [`a ${expected}`]]);
  });

  it('counts as the caller says', async () => {
    const { registry, call } = setUp(
      { a: [status(429)], b: [status(500)] },
      { isFailure: (response) => response.status === 429, retryStatuses: [429] },
    );
    const response = await call('service://pricing/');
    await response.text();
    expect([response.status, registry.ended]).toEqual([500, ['a failed', 'b succeeded']]);
  });

  it('on which the rule of the caller throws is given up', async () => {
    const { registry, call } = setUp(
      { a: [fine] },
      {
        isFailure: () => {
          throw new RangeError('no rule');
        },
      },
    );
    expect(await failureOf(call('service://pricing/'))).toEqual(new RangeError('no rule'));
    expect([registry.ended, registry.outstanding]).toEqual([['a ended'], 0]);
  });
});

describe('the end of a call', () => {
  it('that the caller aborts says nothing of the instance', async () => {
    const { registry, call } = setUp({ a: [silent] });
    const aborting = new AbortController();
    const calling = call('service://pricing/', { signal: aborting.signal });
    await until(() => registry.outstanding === 1, { what: 'the call' });
    aborting.abort(new RangeError('enough'));
    expect(await failureOf(calling)).toEqual(new RangeError('enough'));
    expect(registry.ended).toEqual(['a ended']);
  });

  it('leaves nothing on the signal of the caller, however it ends', async () => {
    const { signal } = new AbortController();
    const { call } = setUp({ a: [fine, refused, status(503)], b: [fine, refused] });
    await (await call('service://pricing/', { signal })).text();
    await (await call('service://pricing/', { signal })).body?.cancel();
    await failureOf(call('service://pricing/', { signal, attempts: 2 }));
    await (await call('service://pricing/', { signal, attempts: 1 })).text();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('that was aborted before asks nobody', async () => {
    const { registry, network, call } = setUp({ a: [fine] });
    expect(await failureOf(call('service://pricing/', { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect([network.seen, registry.outstanding]).toEqual([[], 0]);
  });

  it('that its own time ends is a failure of the instance that was asked', async () => {
    const { registry, call } = setUp({ a: [silent] }, { timeout: 30 });
    const error = await failureOf<Error>(call('service://pricing/'));
    expect(error).toBeInstanceOf(OperationTimeoutError);
    expect(error.message).toContain('the 30 ms for an answer are over, the last one waited for was that of a:8080 (a)');
    expect(registry.ended).toEqual(['a failed']);
  });

  it('of an attempt: another instance is asked', async () => {
    const { registry, call } = setUp({ a: [silent], b: [fine] }, { attemptTimeout: 30 });
    expect((await call('service://pricing/')).instance.id).toBe('b');
    expect(registry.ended[0]).toBe('a failed');
  });

  it('has no time where it is told so', async () => {
    const { call } = setUp({ a: [fine] }, { timeout: Infinity, attemptTimeout: Infinity });
    expect((await call('service://pricing/')).status).toBe(200);
  });

  it('that is due to the request is told as fetch tells it, and is no failure of an instance', async () => {
    const { registry, call } = setUp({ a: [coded('ENOENT', 'open')] });
    const error = await failureOf(call('service://pricing/', { method: 'POST' }));
    expect(error).toBeInstanceOf(TypeError);
    expect(registry.ended).toEqual(['a ended']);
  });
});

describe('without an instance', () => {
  it('it is said that there is none', async () => {
    const { registry, call } = setUp({});
    registry.instances = [];
    registry.failure = new OperationTimeoutError('the wait is over', {}, false);
    const error = await failureOf<NoInstanceError>(call('service://pricing/'));
    expect(error).toBeInstanceOf(NoInstanceError);
    expect(error.message).toBe('GET service://pricing/: no instance to call: none is registered');
    expect(error.cause).toBeInstanceOf(OperationTimeoutError);
  });

  it('what was tried before is what counts', async () => {
    const { registry, network, call } = setUp({
      a: [
        () => {
          registry.failure = new OperationTimeoutError('the wait is over', {}, false);
          throw new TypeError('fetch failed', { cause: refused });
        },
      ],
    });
    expect(await failureOf(call('service://pricing/'))).toBeInstanceOf(ServiceCallError);
    expect(network.seen).toHaveLength(1);
  });

  it('a provider that has failed is made anew for the next call', async () => {
    const { registry, call } = setUp({ a: [fine] });
    registry.failure = new NoAuthError('no', {});
    expect(await failureOf(call('service://pricing/'))).toBeInstanceOf(NoAuthError);
    await call('service://pricing/');
    expect([registry.made, registry.closed]).toEqual([['pricing', 'pricing'], 1]);
  });
});
