import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { readTaskEnvironment, readTaskName } from '../../../recipes/services/swarm-environment.js';
import { taskOf } from '../../../recipes/services/swarm-place.js';

const id = 'q3g9x0n8ykv2t1m4c5b6a7z8d';

describe('the environment', () => {
  it('has what the templates of a stack file were filled with', () => {
    const environment = readTaskEnvironment({
      ZOOKIT_SERVICE: 'shop_web',
      ZOOKIT_TASK_ID: id,
      ZOOKIT_SLOT: '2',
      ZOOKIT_NODE: 'node-a',
      ZOOKIT_ADDRESS: '10.0.1.7',
      ZOOKIT_NETWORK: 'shop',
      ZOOKIT_PORT: '8080',
      ZOOKIT_SSL_PORT: '8443',
      ZOOKIT_WEIGHT: '0.5',
      ZOOKIT_ZONE: 'north',
      PATH: '/bin',
    });
    expect(environment).toEqual({
      service: 'shop_web',
      taskId: id,
      slot: 2,
      node: 'node-a',
      address: '10.0.1.7',
      network: 'shop',
      port: 8080,
      sslPort: 8443,
      weight: 0.5,
      zone: 'north',
    });
  });

  it('has no slot in a global service, where Swarm gives the node instead', () => {
    expect(readTaskEnvironment({ ZOOKIT_SLOT: 'z9x8c7v6b5n4m3l2k1j0h9g8f' }).slot).toBe(null);
    expect(readTaskEnvironment({ ZOOKIT_SLOT: '0' }).slot).toBe(null);
  });

  it('is not set where it is empty, or a template that nobody has filled in', () => {
    for (const text of ['', '  ', '{{.Task.ID}}', 'web-{{.Task.Slot}}']) {
      const variables = { ZOOKIT_SERVICE: text, ZOOKIT_TASK_ID: text, ZOOKIT_SLOT: text, ZOOKIT_PORT: text };
      const { service, taskId, slot, port } = readTaskEnvironment(variables);
      expect([service, taskId, slot, port]).toEqual([undefined, undefined, undefined, undefined]);
    }
  });

  it.each(['ZOOKIT_PORT', 'ZOOKIT_SSL_PORT', 'ZOOKIT_WEIGHT'])('is refused where %s is no number', (name) => {
    expect(() => readTaskEnvironment({ [name]: 'many' })).toThrow(InvalidArgumentError);
    expect(() => readTaskEnvironment({ [name]: 'many' })).toThrow(new RegExp(`${name} is "many"`));
    expect(() => readTaskEnvironment({ [name]: '0x50' })).toThrow(InvalidArgumentError);
  });
});

describe('the name of a task', () => {
  it('has the service, the slot, the task and the network', () => {
    expect(readTaskName(`shop_web.12.${id}.shop_default`)).toEqual({
      service: 'shop_web',
      slot: 12,
      taskId: id,
      network: 'shop_default',
    });
  });

  it('has the node in place of the slot in a global service, and a network may have dots', () => {
    expect(readTaskName(`agent.z9x8c7v6b5n4m3l2k1j0h9g8f.${id}.net.of.dots`)).toEqual({
      service: 'agent',
      slot: null,
      taskId: id,
      network: 'net.of.dots',
    });
  });

  it.each(['web.shop_default', 'shop-web-1.shop_default', `web.1.${id}`, 'a.1.tooshort.net', 'localhost', ''])(
    'is not %j, as other containers are called',
    (name) => {
      expect(readTaskName(name)).toBe(undefined);
    },
  );
});

describe('a task', () => {
  const name = { service: 'shop_web', slot: 3, taskId: id, network: 'shop_default' };

  it('is what the environment says, and the name where that says nothing', () => {
    expect(taskOf(readTaskEnvironment({}), name)).toEqual({ service: 'shop_web', slot: 3, id, node: null });
    const environment = readTaskEnvironment({ ZOOKIT_SERVICE: 'pricing', ZOOKIT_NODE: 'node-a' });
    expect(taskOf(environment, name)).toEqual({ service: 'pricing', slot: 3, id, node: 'node-a' });
    const whole = readTaskEnvironment({ ZOOKIT_SERVICE: 'pricing', ZOOKIT_TASK_ID: 'other', ZOOKIT_SLOT: '5' });
    expect(taskOf(whole, name)).toEqual({ service: 'pricing', slot: 5, id: 'other', node: null });
    expect(taskOf(whole, undefined)).toEqual({ service: 'pricing', slot: 5, id: 'other', node: null });
  });

  it('is none without a service and an id', () => {
    expect(taskOf(readTaskEnvironment({}), undefined)).toBe(undefined);
    expect(taskOf(readTaskEnvironment({ ZOOKIT_SERVICE: 'pricing' }), undefined)).toBe(undefined);
    expect(taskOf(readTaskEnvironment({ ZOOKIT_TASK_ID: id }), undefined)).toBe(undefined);
  });
});
