// The recipes of zookit: as many loops as there are contenders, on one session.
import { setImmediate as turn } from 'node:timers/promises';
import { ZooKeeper } from 'zookit';
import { LiveConfig, Mutex, ServiceRegistry } from 'zookit/recipes';
import { CHROOT } from '../wire/works.mjs';
import { loops } from './promises.mjs';

/** Picks ask no server, so nothing else would get its turn without one given now and then. */
const PICKS = 1_000;

const recipes = {
  mutex: (zk, { name }) => {
    const contend = () => {
      const mutex = new Mutex(zk, `/locks/${name}`);
      return async () => {
        const lock = await mutex.acquire();
        await lock.release();
      };
    };
    return { contend, close: () => undefined };
  },

  list: (zk, { count }) => {
    const registry = new ServiceRegistry(zk);
    const contend = () => async () => {
      const { length } = await registry.instances('cart');
      if (length !== count) throw new Error(`${length} of ${count} listed`);
    };
    return { contend, close: () => undefined };
  },

  pick: async (zk) => {
    const provider = await new ServiceRegistry(zk).provider('cart').ready();
    const contend = () => async () => {
      for (let index = 0; index < PICKS; index++) await provider.pick();
      await turn();
    };
    return { contend, close: () => provider.close() };
  },

  fanout: async (zk, { count }) => {
    const configs = await Promise.all(Array.from({ length: count }, () => LiveConfig.open(zk, '/config')));
    let version = 0;
    let missing = 0;
    let allTold;
    const follow = async (config) => {
      for await (const value of config) if (value?.version === version && --missing === 0) allTold();
    };
    const following = configs.map(follow);
    const contend = () => async () => {
      version++;
      missing = count;
      const told = new Promise((resolve) => (allTold = resolve));
      await zk.setData('/config', JSON.stringify({ version }));
      await told;
    };
    return {
      contend,
      close: async () => {
        await Promise.all(configs.map((config) => config.close()));
        await Promise.all(following);
      },
    };
  },
};

export async function open(work) {
  const zk = await ZooKeeper.connect(`127.0.0.1:${work.port}${CHROOT}`, { sessionTimeout: 30_000 });
  const { contend, close } = await recipes[work.work](zk, work);
  const all = Array.from({ length: work.window }, contend);
  return Object.assign(loops(all, work.work === 'pick' ? PICKS : 1), {
    close: async () => {
      await close();
      await zk.close();
    },
  });
}
