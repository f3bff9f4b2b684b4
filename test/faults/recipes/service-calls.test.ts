import { expect, it } from '@jest/globals';
import { ServiceAgent, serviceFetch, ServiceRegistry } from 'zookit/recipes';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Handler, HttpInstance } from '../../support/http-instances.js';
import { gate, until } from '../../support/until.js';
import { type Rig, startRig, SHORT } from '../rig.js';

type Call = () => Promise<string>;

/** Callers that call one time after the other until they are stopped, and what they were answered. */
class Load {
  readonly answers = new Map<string, number>();
  readonly failures: unknown[] = [];
  /** How often each caller has called. */
  private readonly turns: number[];
  private isOver = false;
  private readonly done: Promise<unknown>;

  constructor(callers: number, call: Call) {
    this.turns = Array.from({ length: callers }, () => 0);
    this.done = Promise.all(this.turns.map((_, caller) => this.run(caller, call)));
  }

  of(id: string): number {
    return this.answers.get(id) ?? 0;
  }

  /** Resolves when the instance has answered so often from now on. */
  async more(id: string, count: number): Promise<void> {
    const before = this.of(id);
    await until(() => this.of(id) >= before + count, { what: `${count} answers of ${id}` });
  }

  /** Resolves when no call is under way any more that has begun before now. */
  async round(): Promise<void> {
    const before = [...this.turns];
    await until(() => this.turns.every((turn, caller) => turn > (before[caller] ?? 0)), { what: 'a round of calls' });
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.done;
  }

  private async run(caller: number, call: Call): Promise<void> {
    while (!this.isOver) {
      try {
        const id = await call();
        this.answers.set(id, this.of(id) + 1);
      } catch (error) {
        this.failures.push(error);
      }
      this.turns[caller]!++;
      // Lets the others of this process have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Calls by fetch, with what is tried again; the registry of the callers is behind the proxy. */
function callsOf(rig: Rig, options = {}) {
  const call = serviceFetch(new ServiceRegistry(rig.zk), options);
  const ask: Call = async () => (await call('service://pricing/')).text();
  return { call, ask, provider: call.providers.of('pricing') };
}

const slowly: Handler = (_, response, { id }) => void setTimeout(() => response.end(id), 5);

it('a rolling replacement under load: with a drain no request fails, also of those that are sent once', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const registry = new ServiceRegistry(rig.observer);
  // Not in turn: two kinds of callers in step would have instances of their own each.
  const { call, provider } = callsOf(rig, { provider: { strategy: 'random' } });
  await using agent = new ServiceAgent(call.providers);
  await using _ = call;
  let instances = await Promise.all(
    ['a1', 'b1', 'c1'].map((id) => HttpInstance.start(registry, id, { handler: slowly })),
  );
  await until(() => provider.list.instances.length === 3, { what: 'all three' });
  const post: Call = async () => (await call('service://pricing/', { method: 'POST', attempts: 1 })).text();
  const viaAgent: Call = () =>
    new Promise((resolve, reject) => {
      get('service://pricing/', { agent }, (response: IncomingMessage) => void text(response).then(resolve, reject)).on(
        'error',
        reject,
      );
    });
  const loads = [new Load(4, post), new Load(4, viaAgent)];
  for (const old of [...instances]) {
    await using retiring = old;
    const next = await HttpInstance.start(registry, old.id.replace('1', '2'), { handler: slowly });
    instances = [...instances, next];
    await Promise.all(loads.map((load) => load.more(next.id, 3)));
    await retiring.service.unregister({ drain: 200 });
    await until(() => !provider.list.instances.some(({ id }) => id === old.id), { what: 'it to be off the list' });
    await Promise.all(loads.map((load) => load.round()));
    await retiring.stop();
  }
  const before = loads.map((load) => load.of('a1') + load.of('b1') + load.of('c1'));
  for (const id of ['a2', 'b2', 'c2']) await Promise.all(loads.map((load) => load.more(id, 3)));
  await Promise.all(loads.map((load) => load.stop()));
  expect(loads.map(({ failures }) => failures)).toEqual([[], []]);
  expect(loads.map((load) => load.of('a1') + load.of('b1') + load.of('c1'))).toEqual(before);
  for (const instance of instances) await instance[Symbol.asyncDispose]();
});

it('an instance that is killed under load: idempotent requests go on at the others', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const registry = new ServiceRegistry(rig.observer);
  const { call, ask, provider } = callsOf(rig);
  await using _ = call;
  await using one = await HttpInstance.start(registry, 'one', { handler: slowly });
  await using two = await HttpInstance.start(registry, 'two', { handler: slowly });
  await until(() => provider.list.instances.length === 2, { what: 'both' });
  const load = new Load(6, ask);
  await Promise.all([load.more('one', 10), load.more('two', 10)]);
  // In the middle of requests; its registration stays as long as its session.
  await one.kill();
  await load.more('two', 50);
  await until(() => provider.setAside.length === 1, { what: 'it to be set aside' });
  await load.stop();
  expect(load.failures).toEqual([]);
  expect([provider.setAside.map(({ id }) => id), two.calls > 60]).toEqual([['one'], true]);
});

it('an instance that is killed while it sends: who reads is told, and it counts as a failure', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const { call, provider } = callsOf(rig, { provider: { setAside: { failures: 1 } } });
  await using _ = call;
  await using one = await HttpInstance.start(new ServiceRegistry(rig.observer), 'one', {
    handler: (__, response) => void response.write('the beginning'),
  });
  const response = await call('service://pricing/');
  const reading = response.text();
  await one.kill();
  await expect(reading).rejects.toThrow('terminated');
  await until(() => provider.setAside.length === 1, { what: 'it to be set aside' });
});

it('an instance that hangs: others are asked, and it is set aside', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const registry = new ServiceRegistry(rig.observer);
  const { call, ask, provider } = callsOf(rig, { attemptTimeout: 2_500, provider: { setAside: { failures: 1 } } });
  await using _ = call;
  await using hangs = await HttpInstance.start(registry, 'hangs', { handler: () => undefined });
  await using fine = await HttpInstance.start(registry, 'fine');
  await until(() => provider.list.instances.length === 2, { what: 'both' });
  const answers: string[] = [];
  for (let turn = 0; turn < 10; turn++) answers.push(await ask());
  expect(new Set(answers)).toEqual(new Set(['fine']));
  expect([hangs.calls, fine.calls, provider.setAside.map(({ id }) => id)]).toEqual([1, 10, ['hangs']]);
});

it('without ZooKeeper, and after the end of the session: calls go on by the last known list', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const registry = new ServiceRegistry(rig.observer);
  const { call, ask, provider } = callsOf(rig);
  await using _ = call;
  await using one = await HttpInstance.start(registry, 'one');
  await using two = await HttpInstance.start(registry, 'two');
  await until(() => provider.list.instances.length === 2, { what: 'both' });
  const load = new Load(2, ask);
  await rig.unlink();
  expect(provider.list.stale).toBe(true);
  await Promise.all([load.more('one', 5), load.more('two', 5)]);
  // One of them is gone, which nobody can tell the callers.
  await one.kill();
  await load.more('two', 20);
  await rig.relink();
  await rig.outlive();
  await load.more('two', 5);
  await rig.relink();
  await load.more('two', 5);
  await load.stop();
  expect([load.failures, two.calls > 0]).toEqual([[], true]);
});

it('a session that expires: the instance is registered anew, and no call fails', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  // Here it is the instances whose session ends.
  const call = serviceFetch(new ServiceRegistry(rig.observer));
  await using _ = call;
  await using one = await HttpInstance.start(new ServiceRegistry(rig.zk), 'one');
  const provider = call.providers.of('pricing');
  await provider.ready();
  await until(() => provider.list.instances.length === 1, { what: 'it' });
  await rig.outlive();
  await until(() => provider.list.instances.length === 0, { what: 'the end of its registration' });
  const asked = gate();
  const calling = call('service://pricing/', { timeout: 20_000 });
  asked.open();
  await rig.relink();
  expect(await (await calling).text()).toBe('one');
  expect(one.calls).toBe(1);
});

it('ZooKeeper that is silent brings no dependency down; what has gone meanwhile is told afterwards', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const registry = new ServiceRegistry(rig.observer);
  const services = await Promise.all(['pricing', 'stock'].map((name) => registry.register({ name, port: 1 })));
  await using dependencies = new ServiceRegistry(rig.zk).dependencies([{ name: 'pricing' }, { name: 'stock' }]);
  const downs: string[] = [];
  dependencies.on('down', ({ name }) => void downs.push(name));
  await dependencies.ready();
  await rig.unlink();
  await until(() => dependencies.states.every(({ stale }) => stale), { what: 'both to be stale' });
  expect([dependencies.areUp, downs]).toEqual([true, []]);
  await rig.relink();
  await until(() => dependencies.states.every(({ stale }) => !stale), { what: 'both to be current' });
  await rig.outlive();
  await services[0]?.unregister();
  expect([dependencies.areUp, downs]).toEqual([true, []]);
  await rig.relink();
  await until(() => !dependencies.areUp, { what: 'the one that is gone' });
  expect([downs, dependencies.states.map(({ state }) => state)]).toEqual([['pricing'], ['down', 'up']]);
  await services[1]?.unregister();
  await until(() => downs.length === 2, { what: 'the other one' });
});

it('without ZooKeeper from the beginning: what is missing is named, and they are ready once it is there', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await new ServiceRegistry(rig.observer).register({ name: 'pricing', port: 1 });
  await rig.unlink();
  await using dependencies = new ServiceRegistry(rig.zk).dependencies([{ name: 'pricing' }]);
  await expect(dependencies.ready({ timeout: 50 })).rejects.toMatchObject({
    code: 'MISSING_DEPENDENCIES',
    missing: [{ name: 'pricing', atLeast: 1, instances: 0 }],
  });
  await rig.relink();
  await dependencies.ready({ timeout: 20_000 });
});
