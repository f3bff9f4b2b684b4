/** Tasks that are told to end: what callers see, and how the process ends, with a server and without one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';
import { type ServiceProvider, ServiceRegistry } from 'zookit/recipes';
import { type Child, type ChildResult, runScript } from '../../support/child.js';
import { until, within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';

const taskId = 'q3g9x0n8ykv2t1m4c5b6a7z8d';
const stackFile = {
  ZOOKIT_SERVICE: 'shop_web',
  ZOOKIT_TASK_ID: taskId,
  ZOOKIT_SLOT: '2',
  ZOOKIT_NODE: 'node-a',
  ZOOKIT_ADDRESS: '10.0.1.7',
  ZOOKIT_PORT: '8080',
};

let server: ZooKeeperServer;
let chroot: string;
let zk: ZooKeeper;
let provider: ServiceProvider;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  chroot = `/task-${randomUUID()}`;
});

/** What callers see: opened where a test asks for it, because it is for one server. */
async function watch(): Promise<AsyncDisposable> {
  zk = await ZooKeeper.connect(server.connectString + chroot, { sessionTimeout: 30_000 });
  await zk.ensurePath('/');
  provider = await new ServiceRegistry(zk).provider('shop_web').ready();
  return {
    async [Symbol.asyncDispose]() {
      await provider.close();
      await zk.close();
    },
  };
}

/** A process that registers itself and has an HTTP server. `options` are those of registerTask; `rest` runs before that. */
function start(options: string, { rest = '', env = {} }: { rest?: string; env?: Record<string, string> } = {}) {
  const source = `
    import { createServer } from 'node:http';
    import { ZooKeeper } from 'zookit';
    import { ServiceRegistry } from 'zookit/recipes';
    const http = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');
    const closed = () => new Promise((resolve) => http.close(resolve));
    const say = (...words) => console.log(...words);
    process.on('exit', (code) => say('exit', code));
    ${rest}
    const zk = await ZooKeeper.connect('${server.connectString + chroot}', { sessionTimeout: 30_000 });
    const registry = new ServiceRegistry(zk);
    const registered = await registry.registerTask(${options});
    registered.stopping.addEventListener('abort', () => say('stopping', registered.held));
    say('registered', JSON.stringify(registered.task), JSON.stringify(registered.instance));`;
  return runScript({ source }, { env: { ...stackFile, ...env } });
}

/** What a child writes of that. */
async function endOf(child: Child): Promise<ChildResult> {
  return within(child.result, { what: 'the end of the process', timeout: 30_000 });
}

function registered(child: Child): Promise<RegExpExecArray> {
  return child.line(/^registered (.*?\}) (\{.*)$/, { timeout: 30_000 });
}

function listed(): readonly { readonly id: string; readonly enabled: boolean }[] {
  return provider.list.instances.map(({ id, enabled }) => ({ id, enabled }));
}

describe('a task', () => {
  it('registers by what the stack file tells it', async () => {
    await using _ = await watch();
    await using child = await start(`{ payload: { version: 3 }, weight: 2 }`, { env: { ZOOKIT_WEIGHT: '5' } });
    const [, task, instance] = await registered(child);
    expect(JSON.parse(task!)).toEqual({ service: 'shop_web', slot: 2, id: taskId, node: 'node-a' });
    expect(JSON.parse(instance!)).toMatchObject({
      name: 'shop_web',
      id: taskId,
      address: '10.0.1.7',
      port: 8080,
      weight: 2,
      payload: { version: 3, swarm: { service: 'shop_web', slot: 2, id: taskId, node: 'node-a' } },
    });
    await until(() => listed().length === 1, { what: 'callers to see it' });
    expect(provider.list.instances[0]).toEqual(JSON.parse(instance!));
  });

  it('that is no task fails, and says what to set; or registers as a host, if that is wanted', async () => {
    await using _ = await watch();
    const env = { ZOOKIT_TASK_ID: '{{.Task.ID}}', ZOOKIT_ADDRESS: '' };
    const source = `
      import { ZooKeeper } from 'zookit';
      import { ServiceRegistry } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${server.connectString}');
      const error = await new ServiceRegistry(zk).registerTask({ drain: 0 }).catch((error) => error);
      console.log(error.code, error.message);
      await zk.close();`;
    await using refused = await runScript({ source }, { env: { ...stackFile, ...env } });
    const { code, stdout } = await endOf(refused);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^NOT_A_SWARM_TASK .*only ZOOKIT_SERVICE.*ZOOKIT_TASK_ID: '/),
    ]);
    await using host = await start(`{ outside: 'host', drain: 0, onDrain: closed, closeClient: true }`, { env });
    const [, task, instance] = await host.line(/^registered (null) (\{.*)$/, { timeout: 30_000 });
    expect(task).toBe('null');
    expect(JSON.parse(instance!)).toMatchObject({ name: 'shop_web', port: 8080, payload: null });
    host.signal('SIGTERM');
    expect(await endOf(host)).toMatchObject({ code: 0, signal: null });
  });
});

describe('at SIGTERM', () => {
  it('callers are told, the drain time passes, it is unregistered, the hook is called, and the process ends by itself', async () => {
    await using _ = await watch();
    await using child = await start(
      `{ drain: 700, closeClient: true, onDrain: async () => { say('drain', registered.held); await closed(); } }`,
    );
    await registered(child);
    await until(() => listed()[0]?.enabled === true, { what: 'callers to see it' });
    const seen: string[] = [];
    let draining = 0;
    const watching = (async () => {
      for await (const { instances } of provider) {
        seen.push(instances.map(({ enabled }) => (enabled ? 'enabled' : 'draining')).join() || 'gone');
        if (instances.length === 0) return performance.now();
        if (seen.at(-1) === 'draining') draining = performance.now();
      }
      return 0;
    })();
    child.signal('SIGTERM');
    const gone = await within(watching, { what: 'it to go' });
    expect(seen).toEqual(['enabled', 'draining', 'gone']);
    // Seen from another process: both are told late, by as much as that was held up.
    expect(gone - draining).toBeGreaterThan(350);
    const { code, signal, stdout, stderr } = await endOf(child);
    expect([code, signal, stderr]).toEqual([0, null, '']);
    expect(stdout.split('\n').slice(1)).toEqual(['stopping true', 'drain false', 'exit 0', '']);
    expect(await zk.getChildren('/services/shop_web')).toEqual([]);
  });

  it('a process that has something left to do is ended by the signal, after all of that', async () => {
    await using _ = await watch();
    await using child = await start(`{ drain: 0, onDrain: () => say('drained') }`, {
      rest: 'setInterval(() => undefined, 10_000);',
    });
    await registered(child);
    child.signal('SIGTERM');
    const { code, signal, stdout } = await endOf(child);
    expect([code, signal]).toEqual([null, 'SIGTERM']);
    expect(stdout).toMatch(/stopping true\ndrained\n$/);
    expect(await zk.getChildren('/services/shop_web')).toEqual([]);
  });

  it('a second signal ends the process at once', async () => {
    await using _ = await watch();
    await using child = await start(`{ drain: 60_000, stopTimeout: 120_000 }`);
    await registered(child);
    child.signal('SIGTERM');
    await child.line(/^stopping/);
    child.signal('SIGTERM');
    expect(await endOf(child)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('the end of the process is for others who listen', async () => {
    await using _ = await watch();
    await using child = await start(`{ drain: 0, onDrain: () => say('drained') }`, {
      rest: `
        process.on('SIGTERM', () => say('heard'));
        process.on('SIGUSR2', () => process.exit(7));
        setInterval(() => undefined, 10_000);`,
    });
    await registered(child);
    child.signal('SIGTERM');
    await child.line(/^drained$/);
    // Longer than ours would be left to end by itself: two more of its own seconds have to pass.
    const later = performance.now() + 1_500;
    await until(() => performance.now() > later, { what: 'the time in which it might be ended' });
    child.signal('SIGUSR2');
    const { code, stdout } = await endOf(child);
    expect([code, stdout]).toEqual([7, expect.stringMatching(/heard[^]*drained\nexit 7\n$/)]);
  });

  it('that is not waited for, nothing is done', async () => {
    await using _ = await watch();
    await using child = await start(`{ signals: [], onDrain: () => say('drained') }`);
    await registered(child);
    child.signal('SIGTERM');
    const { signal, stdout } = await endOf(child);
    expect([signal, stdout]).toEqual(['SIGTERM', expect.not.stringContaining('stopping')]);
  });

  it('two services of a process are drained side by side, and the process ends once', async () => {
    await using _ = await watch();
    await using other = await new ServiceRegistry(zk).provider('shop_admin').ready();
    await using child = await start(
      `{ drain: 700, onDrain: closed });
       await registry.registerTask({ name: 'shop_admin', port: 9090, drain: 700, closeClient: true, onDrain: () => say('admin') }`,
    );
    await registered(child);
    await until(() => listed().length + other.list.instances.length === 2, { what: 'callers to see both' });
    child.signal('SIGTERM');
    const draining = () =>
      [...provider.list.instances, ...other.list.instances].filter(({ enabled }) => !enabled).length;
    await until(() => draining() === 2, { what: 'both to drain', interval: 5 });
    const { code, signal } = await endOf(child);
    expect([code, signal]).toEqual([0, null]);
    expect(await zk.getChildren('/services/shop_admin')).toEqual([]);
  });

  it('a hook that fails is told of, and the rest is done', async () => {
    await using _ = await watch();
    await using child = await start(
      `{ drain: 0, closeClient: true, onDrain: async () => { await closed(); throw new Error('the hook'); } }`,
    );
    await registered(child);
    child.signal('SIGTERM');
    const { code, stderr } = await endOf(child);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Error: the hook')]);
    expect(await zk.getChildren('/services/shop_web')).toEqual([]);
  });
});

describe('without a server', () => {
  it('the process ends all the same, within the time that it has', async () => {
    // A server of its own: it is stopped.
    await using own = await startServer();
    const source = `
      import { ZooKeeper } from 'zookit';
      import { ServiceRegistry } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${own.connectString}', { sessionTimeout: 30_000 });
      const registered = await new ServiceRegistry(zk).registerTask({
        drain: 200, stopTimeout: 1_400, closeClient: true, onDrain: () => console.log('drained'),
      });
      console.log('registered');`;
    for (const stop of ['pause', 'kill'] as const) {
      await using child = await runScript({ source }, { env: stackFile });
      await child.line(/^registered$/, { timeout: 30_000 });
      await own[stop]();
      const begun = performance.now();
      child.signal('SIGTERM');
      const { code, signal, stdout } = await endOf(child);
      // 1.4 s by its own clock; the rest is for a machine that is busy.
      expect(performance.now() - begun).toBeLessThan(12_000);
      expect([signal ?? code, stdout]).toEqual([0, expect.stringContaining('drained')]);
      if (stop === 'pause') own.resume();
    }
  });

  it('a task that cannot register yet ends at the first signal', async () => {
    await using own = await startServer();
    const source = `
      import { ZooKeeper } from 'zookit';
      import { ServiceRegistry } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${own.connectString}', { sessionTimeout: 30_000 });
      zk.on('suspended', async () => {
        const registering = new ServiceRegistry(zk).registerTask({ drain: 0 });
        console.log('registering');
        await registering.catch((error) => console.log(error.code));
        await zk.close({ timeout: 100 });
      });
      console.log('connected');`;
    await using child = await runScript({ source }, { env: stackFile });
    await child.line(/^connected$/, { timeout: 30_000 });
    await own.kill();
    await child.line(/^registering$/, { timeout: 30_000 });
    child.signal('SIGTERM');
    const { stdout, code } = await endOf(child);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ABORTED\n$/)]);
  });
});
