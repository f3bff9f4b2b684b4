import { describe, expect, it } from '@jest/globals';
import { acl, InvalidArgumentError, NoAuthError } from 'zookit';
import {
  type DependencyChange,
  type DependencySpec,
  MissingDependenciesError,
  serviceFetch,
  ServiceRegistry,
} from 'zookit/recipes';
import { HttpInstance } from '../../support/http-instances.js';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

describe('dependencies', () => {
  it('are ready when all that are required are there, and as often as they have to be', async () => {
    const services = await registry();
    await using dependencies = services.dependencies([
      { name: 'pricing', atLeast: 2 },
      { name: 'stock' },
      { name: 'advice', required: false },
    ]);
    expect(dependencies.states.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown']);
    let isReady = false;
    const ready = dependencies.ready({ timeout: 20_000 }).then((same) => {
      isReady = true;
      return same;
    });
    await services.register({ name: 'pricing', port: 1 });
    await services.register({ name: 'stock', port: 2 });
    await until(() => dependencies.states.some(({ state }) => state === 'up'), { what: 'the stock' });
    expect([isReady, dependencies.areUp]).toEqual([false, false]);
    await services.register({ name: 'pricing', port: 3 });
    expect(await ready).toBe(dependencies);
    expect(dependencies.states).toEqual([
      { name: 'pricing', required: true, atLeast: 2, state: 'up', instances: 2, stale: false },
      { name: 'stock', required: true, atLeast: 1, state: 'up', instances: 1, stale: false },
      { name: 'advice', required: false, atLeast: 1, state: 'down', instances: 0, stale: false },
    ]);
  });

  it('name all that are missing when the time is over', async () => {
    const services = await registry();
    await services.register({ name: 'pricing', port: 1 });
    await services.register({ name: 'stock', port: 2 });
    await services.register({ name: 'mail', port: 3, enabled: false });
    await using dependencies = services.dependencies([
      { name: 'pricing', atLeast: 3 },
      { name: 'stock' },
      { name: 'mail' },
      { name: 'cart', provider: { filter: () => false } },
      { name: 'advice', required: false },
    ]);
    await until(() => dependencies.states.every(({ state }) => state !== 'unknown'), { what: 'the first look' });
    const error = await failureOf(dependencies.ready({ timeout: 20 }));
    expect(error).toBeInstanceOf(MissingDependenciesError);
    expect((error as MissingDependenciesError).missing).toEqual([
      { name: 'pricing', atLeast: 3, instances: 1 },
      { name: 'mail', atLeast: 1, instances: 0 },
      { name: 'cart', atLeast: 1, instances: 0 },
    ]);
    expect((error as Error).message).toBe(
      'ServiceDependencies.ready: what is required is not there: pricing (1 of 3), mail (0 of 1), cart (0 of 1)',
    );
    expect(await failureOf(dependencies.ready({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' });
  });

  it('tell when one comes and when one goes, to listeners and to who iterates', async () => {
    const services = await registry();
    await using dependencies = services.dependencies([{ name: 'pricing', atLeast: 2 }]);
    const heard: string[] = [];
    const forgotten = (): void => void heard.push('forgotten');
    dependencies
      .on('up', ({ instances }) => void heard.push(`up ${instances}`))
      .on('down', ({ instances }) => void heard.push(`down ${instances}`))
      .on('down', forgotten)
      .off('down', forgotten);
    const changes = dependencies[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { type, dependency } = (await within(changes.next(), { what: 'a change' })).value as DependencyChange;
      return `${type} ${dependency.name} ${dependency.instances}`;
    };
    expect(await next()).toBe('down pricing 0');
    const one = await services.register({ name: 'pricing', port: 1 });
    const two = await services.register({ name: 'pricing', port: 2 });
    expect(await next()).toBe('up pricing 2');
    // Enough is enough: that there is one more, and again one fewer, is nobody's business.
    const three = await services.register({ name: 'pricing', port: 3 });
    await until(() => dependencies.states[0]?.instances === 3, { what: 'the third' });
    await three.unregister();
    await until(() => dependencies.states[0]?.instances === 2, { what: 'its end' });
    await two.unregister();
    expect(await next()).toBe('down pricing 1');
    expect(heard).toEqual(['down 0', 'up 2', 'down 1']);
    await one.unregister();
    const end = changes.next();
    await dependencies.close();
    expect(await within(end, { what: 'the end' })).toEqual({ done: true, value: undefined });
  });

  it('one that wants no more calls does not count', async () => {
    const services = await registry();
    const one = await services.register({ name: 'pricing', port: 1 });
    await using dependencies = services.dependencies([{ name: 'pricing' }]);
    await dependencies.ready();
    await one.update({ enabled: false });
    await until(() => !dependencies.areUp, { what: 'it to be down' });
    await one.update({ enabled: true });
    await until(() => dependencies.areUp, { what: 'it to be up' });
  });

  it('have the providers to call by', async () => {
    const services = await registry();
    await using _ = await HttpInstance.start(services, 'one');
    await using dependencies = services.dependencies([{ name: 'pricing', provider: { strategy: 'random' } }]);
    await using call = serviceFetch((await dependencies.ready()).providers);
    expect(await (await call('service://pricing/')).text()).toBe('one');
  });

  it('say what makes looking impossible', async () => {
    const services = await registry();
    const acls = [acl.digest('somebody', 'else')];
    await clients.zk.create(`${services.basePath}/pricing`, '', { parents: true, acl: acls });
    await using dependencies = services.dependencies([{ name: 'pricing' }]);
    expect(await failureOf(dependencies.ready())).toBeInstanceOf(NoAuthError);
    const iterate = async (): Promise<void> => {
      for await (const _ of dependencies);
    };
    expect(await failureOf(iterate())).toBeInstanceOf(NoAuthError);
  });

  it('tell who waits of their end', async () => {
    const services = await registry();
    const dependencies = services.dependencies([{ name: 'pricing' }]);
    const ready = failureOf(dependencies.ready());
    await dependencies.close();
    expect(await ready).toMatchObject({ code: 'CLOSED' });
    await dependencies.close();
  });

  it.each([
    ['a name that is none', [{ name: '' }], 'the name of a dependency is ""'],
    ['a name with a slash', [{ name: 'a/b' }], 'without "/"'],
    ['one that is declared twice', [{ name: 'a' }, { name: 'a' }], 'declared twice'],
    ['a number that is none', [{ name: 'a', atLeast: 0 }], 'atLeast is 0 for a'],
    ['a flag that is none', [{ name: 'a', required: 'yes' }], 'required is yes for a'],
    ['an unknown option', [{ name: 'a', optional: true }], 'no option "optional"'],
    ['an option of a provider that is none', [{ name: 'a', provider: { strategy: 'best' } }], 'no strategy "best"'],
  ])('refuse %s', async (_, specs, problem) => {
    const services = await registry();
    const make = () => services.dependencies(specs as unknown as DependencySpec[]);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });
});
