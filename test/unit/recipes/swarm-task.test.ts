import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { AbortedError, InvalidArgumentError, OperationTimeoutError, type WaitOptions, type ZooKeeper } from 'zookit';
import type { RegisteredService } from '../../../recipes/services/registered-service.js';
import type { ServiceRegistration } from '../../../recipes/services/service-registration.js';
import { NotASwarmTaskError } from '../../../recipes/services/swarm-errors.js';
import { registerTask, type TaskRegistration } from '../../../recipes/services/swarm-task.js';

const id = 'q3g9x0n8ykv2t1m4c5b6a7z8d';
const task = { service: 'shop_web', slot: 2, id, node: 'node-a' };
const stackFile = {
  ZOOKIT_SERVICE: 'shop_web',
  ZOOKIT_TASK_ID: id,
  ZOOKIT_SLOT: '2',
  ZOOKIT_NODE: 'node-a',
  ZOOKIT_ADDRESS: '10.0.1.7',
};
const subject = { operation: 'registerTask', path: '/services' };

const before = { ...process.env };
/** What was done, in order. */
let done: unknown[];

beforeEach(() => {
  done = [];
  Object.assign(process.env, stackFile);
});

afterEach(() => {
  for (const name of Object.keys(process.env).filter((each) => each.startsWith('ZOOKIT_')))
    if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
  // Whatever happens, no listener stays behind.
  expect(process.listenerCount('SIGTERM')).toBe(0);
});

/** A client that can be closed, and is asked for nothing else. */
const zk = { close: async (options: unknown) => void done.push(['close', options]) } as unknown as ZooKeeper;

/** Registers with a registry that takes everything. */
function register(registration: TaskRegistration, wait: WaitOptions = {}, failure?: Error) {
  const registered = async (service: ServiceRegistration) => {
    done.push(service);
    return {
      instance: service,
      unregister: async (options: unknown) => {
        done.push(['unregister', options]);
        if (failure !== undefined) throw failure;
      },
    } as unknown as RegisteredService;
  };
  return registerTask(zk, registered, registration, wait, subject);
}

async function registeredBy(registration: TaskRegistration): Promise<unknown> {
  await using registered = await register({ drain: 0, ...registration });
  return registered.instance;
}

describe('what is registered', () => {
  it('is what the environment says', async () => {
    Object.assign(process.env, { ZOOKIT_PORT: '80', ZOOKIT_SSL_PORT: '443', ZOOKIT_WEIGHT: '2', ZOOKIT_ZONE: 'north' });
    await using registered = await register({ drain: 0 });
    expect(registered.instance).toEqual({
      name: 'shop_web',
      id,
      address: '10.0.1.7',
      port: 80,
      sslPort: 443,
      weight: 2,
      zone: 'north',
      payload: undefined,
    });
    expect(registered.task).toEqual(task);
  });

  it('is what the options say before that, and all else that a registration takes', async () => {
    Object.assign(process.env, { ZOOKIT_PORT: '80', ZOOKIT_SSL_PORT: '443', ZOOKIT_WEIGHT: '2', ZOOKIT_ZONE: 'north' });
    const options = {
      name: 'cart',
      id: 'one',
      port: 1,
      sslPort: 2,
      weight: 3,
      zone: 'south',
      enabled: false,
      margin: 5,
    };
    const filter = { network: '10.0.0.0/8' };
    expect(await registeredBy({ ...options, address: filter, serviceType: 'STATIC' })).toEqual({
      ...options,
      address: filter,
      serviceType: 'STATIC',
      payload: undefined,
    });
  });

  it('has the address that a function chooses among those of the process', async () => {
    const choose = async (addresses: readonly unknown[]) => `${Array.isArray(addresses)}`;
    expect(await registeredBy({ address: choose })).toMatchObject({ address: 'true' });
    Reflect.deleteProperty(process.env, 'ZOOKIT_TASK_ID');
    expect(await registeredBy({ address: choose, outside: 'host' })).toMatchObject({ address: 'true', id: undefined });
  });

  it('tells the task in a payload that is a plain object, and that no Java class is to read', async () => {
    const payloadOf = async (payload: unknown) => ((await registeredBy({ payload })) as { payload: unknown }).payload;
    expect(await payloadOf({ version: 1 })).toEqual({ version: 1, swarm: task });
    expect(await payloadOf({})).toEqual({ swarm: task });
    class Own {
      readonly version = 1;
    }
    for (const payload of [null, undefined, 'text', 5, [1], { '@class': 'shop.Web' }, { swarm: 'own' }, new Own()])
      expect(await payloadOf(payload)).toBe(payload);
  });
});

describe('a process that is no task', () => {
  beforeEach(() => {
    process.env.ZOOKIT_TASK_ID = '{{.Task.ID}}';
  });

  it('is told what to set', async () => {
    await expect(register({})).rejects.toThrow(NotASwarmTaskError);
    await expect(register({})).rejects.toThrow(/only ZOOKIT_SERVICE of .* ZOOKIT_TASK_ID: '\{\{\.Task\.ID\}\}'/);
    Reflect.deleteProperty(process.env, 'ZOOKIT_SERVICE');
    await expect(register({})).rejects.toThrow(/neither ZOOKIT_SERVICE nor ZOOKIT_TASK_ID/);
    expect(done).toEqual([]);
  });

  it('registers as a host does, where it has a name', async () => {
    await using registered = await register({ outside: 'host', payload: { version: 1 }, drain: 0 });
    expect(registered.instance).toEqual({ name: 'shop_web', address: '10.0.1.7', payload: { version: 1 } });
    expect(registered.task).toBe(null);
    Reflect.deleteProperty(process.env, 'ZOOKIT_SERVICE');
    await expect(register({ outside: 'host' })).rejects.toThrow(InvalidArgumentError);
  });
});

describe('what is refused before anything is done', () => {
  const wrong: readonly (readonly [string, object])[] = [
    ['there is no option "drian"', { drian: 5 }],
    ['drain is -1', { drain: -1 }],
    ['stopTimeout is 1000; it must be more than the drain time, which is 3000', { stopTimeout: 1_000 }],
    ['outside is "there"', { outside: 'there' }],
    ['the network is ""', { network: '' }],
    ['an address and a network', { network: 'shop', address: '10.0.1.7' }],
    ['the signals must be a list', { signals: 'SIGTERM' }],
    ['there is no signal "SIGKILL"', { signals: ['SIGKILL'] }],
    ['there is no signal "SIGNONE"', { signals: ['SIGTERM', 'SIGNONE'] }],
    ['onDrain must be a function', { onDrain: 'close' }],
    ['closeClient must be', { closeClient: zk }],
  ];

  it.each(wrong)('%s', async (problem, options) => {
    const failure = await register(options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidArgumentError);
    expect((failure as Error).message).toContain(problem);
    expect(done).toEqual([]);
  });

  it('a variable that is no number', async () => {
    process.env.ZOOKIT_PORT = 'http';
    await expect(register({})).rejects.toThrow(/ZOOKIT_PORT is "http"/);
  });
});

describe('a wait', () => {
  it('bounds the registration: by what is left of its time, and by the signal of the caller', async () => {
    const given: WaitOptions[] = [];
    const fails = async (_: unknown, wait: WaitOptions): Promise<never> => {
      given.push(wait);
      throw new AbortedError('given up', {}, false);
    };
    await expect(registerTask(zk, fails, {}, { timeout: 5_000 }, subject)).rejects.toThrow('given up');
    expect([given[0]!.timeout! > 0, given[0]!.timeout! <= 5_000, given[0]!.signal!.aborted]).toEqual([
      true,
      true,
      false,
    ]);
    const caller = new AbortController();
    const aborted = registerTask(zk, (_, wait) => never(wait), {}, { signal: caller.signal }, subject);
    // Until it waits for the registration.
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort(new Error('no more'));
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('no more') });
    await expect(registerTask(zk, fails, {}, { signal: caller.signal }, subject)).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(given).toHaveLength(1);
  });

  it('ends while the place is looked for', async () => {
    const choose = () => new Promise<never>(() => undefined);
    const registering = registerTask(zk, (_, wait) => never(wait), { address: choose }, { timeout: 20 }, subject);
    await expect(registering).rejects.toThrow(OperationTimeoutError);
  });

  it('with other options than those of a wait is refused', async () => {
    await expect(register({}, { timeuot: 5 } as WaitOptions)).rejects.toThrow(/there is no option "timeuot"/);
    await expect(register({}, { timeout: -1 })).rejects.toThrow(InvalidArgumentError);
    await expect(register({}, { signal: {} as AbortSignal })).rejects.toThrow(/the signal is no AbortSignal/);
  });
});

/** A registration that nothing but its signal ends. */
async function never({ signal }: WaitOptions): Promise<never> {
  await once(signal!, 'abort');
  throw new AbortedError('given up', { cause: signal!.reason }, false);
}

describe('the end', () => {
  it('takes its steps one after the other, once', async () => {
    const registered = await register({
      drain: 100,
      stopTimeout: 1_100,
      closeClient: true,
      onDrain: async () => void done.push(['drained', registered.stopping.aborted]),
    });
    done = [];
    expect(registered.stopping.aborted).toBe(false);
    await Promise.all([registered.stop(), registered.stop(), registered[Symbol.asyncDispose]()]);
    expect(done).toEqual([
      ['unregister', { drain: 100, timeout: 600 }],
      ['drained', true],
      ['close', { timeout: expect.any(Number) }],
    ]);
  });

  it('leaves the client open unless it is asked not to, and goes on where a step fails', async () => {
    const failure = new Error('no server');
    const hook = () => {
      done.push('drained');
      throw new Error('the hook');
    };
    const registered = await register({ drain: 0, onDrain: hook }, {}, failure);
    done = [];
    await expect(registered.stop()).rejects.toBe(failure);
    expect(done).toEqual([['unregister', { drain: 0, timeout: 2_500 }], 'drained']);
    const other = await register({ drain: 0, closeClient: true, onDrain: hook });
    done = [];
    await expect(other.stop()).rejects.toThrow('the hook');
    expect(done.at(-1)).toEqual(['close', { timeout: expect.any(Number) }]);
  });

  it('does not wait for ever for a hook', async () => {
    const registered = await register({
      drain: 0,
      stopTimeout: 50,
      onDrain: () => new Promise<never>(() => undefined),
    });
    await registered.stop();
    expect(done.at(-1)).toEqual(['unregister', { drain: 0, timeout: 25 }]);
  });
});
