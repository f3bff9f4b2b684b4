import { describe, expect, it } from '@jest/globals';
import type { NodePlace } from '../../../../recipes/docker/container-place.js';
import { readContainer } from '../../../../recipes/docker/container-report.js';
import { readNetwork } from '../../../../recipes/docker/engine-report.js';
import { judge, registrationOf, signalMeans } from '../../../../recipes/docker/wanted-instance.js';
import { type FakeContainer, inspected } from '../../../support/fake-engine.js';

const networks = new Map(
  [
    { Id: 'front-id', Name: 'front', Driver: 'overlay', Ingress: false },
    { Id: 'shop_back-id', Name: 'shop_back', Driver: 'overlay' },
    { Id: 'ingress-id', Name: 'ingress', Driver: 'overlay', Ingress: true },
    { Id: 'bridge-id', Name: 'bridge', Driver: 'bridge' },
    { Id: 'other-id', Name: 'other', Driver: 'bridge' },
  ].map((answer) => [answer.Id, readNetwork(answer)]),
);
const node: NodePlace = { address: '192.0.2.7', zone: 'north', network: undefined, networks };
const web = { 'zookit.name': 'web', 'zookit.port': '80' };
const task = { ...web, 'com.docker.swarm.task.id': 'task-1', 'com.docker.stack.namespace': 'shop' };

/** As the fake engine has it. */
const startedAt = Date.parse('2026-03-01T10:00:00.123Z');

const judged = (container: FakeContainer, place = node, isStopping = false) =>
  judge(readContainer(inspected('c1', container)), place, isStopping);
const addressOf = (container: FakeContainer, place = node) => {
  const { instances, problems } = judged(container, place);
  return instances[0] === undefined ? problems.join() : `${instances[0].address}:${instances[0].port}`;
};

describe('a container is registered', () => {
  it('while it runs', () => {
    expect(judged({ labels: web }).instances).toEqual([
      {
        ...{ name: 'web', id: 'c1', address: '10.0.1.5', port: 80, sslPort: null },
        ...{ payload: null, weight: null, zone: 'north', startedAt, enabled: true },
      },
    ]);
    expect(judged({ labels: web, running: false }).instances).toEqual([]);
    expect(judged({ labels: web, paused: true }).instances).toEqual([]);
  });

  it('when its health check has passed, and not while it fails', () => {
    const healths = ['starting', 'healthy', 'unhealthy'] as const;
    expect(healths.map((health) => judged({ labels: web, health }).instances.length)).toEqual([0, 1, 0]);
  });

  it('under the id of its task', () => {
    expect(judged({ labels: task }).instances[0]?.id).toBe('task-1');
    expect(judged({ labels: { ...task, 'zookit.81.name': 'b' } }).instances.map(({ id }) => id)).toEqual([
      'task-1',
      'task-1-81',
    ]);
  });

  it('not enabled once it was told to stop', () => {
    expect(judged({ labels: web }, node, true).instances[0]?.enabled).toBe(false);
  });

  it('in its own zone, if it has one', () => {
    expect(judged({ labels: { ...web, 'zookit.zone': 'south' } }).instances[0]?.zone).toBe('south');
  });

  it('as the registry takes it', () => {
    expect(judged({ labels: { ...web, 'zookit.weight': '2' } }).instances.map(registrationOf)).toEqual([
      {
        ...{ name: 'web', id: 'c1', address: '10.0.1.5', port: 80, sslPort: null },
        ...{ payload: null, weight: 2, zone: 'north', enabled: true },
        ...{ registrationTimeUTC: startedAt, onConflict: 'replace' },
      },
    ]);
  });

  it('says what is wrong while it does not run yet, too', () => {
    expect(judged({ labels: { ...web, 'zookit.weight': 'x' }, health: 'starting' }).problems).toHaveLength(1);
  });
});

describe('the address of a task', () => {
  const both = { front: '10.0.1.5', shop_back: '10.0.2.5', ingress: '10.0.0.9' };

  it('is that on the only overlay network, which ingress is not', () => {
    expect(addressOf({ labels: task, networks: { front: '10.0.1.5', ingress: '10.0.0.9' } })).toBe('10.0.1.5:80');
  });

  it('is not guessed among several', () => {
    expect(addressOf({ labels: task, networks: both })).toBe(
      'web: it is on several networks (front, shop_back, ingress); say by zookit.network which one callers share',
    );
    expect(addressOf({ labels: task, networks: { ingress: '10.0.0.9', bridge: '172.17.0.2' } })).toMatch(
      /^web: it is on no network that callers could share \(its networks are ingress, bridge\)/,
    );
  });

  it('is that on the network that is named, also as the stack file names it', () => {
    const on = (network: string) => addressOf({ labels: { ...task, 'zookit.network': network }, networks: both });
    expect([on('front'), on('shop_back'), on('back')]).toEqual(['10.0.1.5:80', '10.0.2.5:80', '10.0.2.5:80']);
    expect(on('elsewhere')).toBe('web: zookit.network is "elsewhere"; its networks are front, shop_back, ingress');
  });

  it('is that on the network of the agent, where it is on that one', () => {
    const place = { ...node, network: 'back' };
    expect(addressOf({ labels: task, networks: both }, place)).toBe('10.0.2.5:80');
    expect(addressOf({ labels: task, networks: { front: '10.0.1.5' } }, place)).toBe('10.0.1.5:80');
  });

  it('is none before it has got one', () => {
    expect(addressOf({ labels: task, networks: { front: '' } })).toBe('web: it has no address on the network front');
  });
});

describe('the address of a container without a Swarm', () => {
  it('is that on its only network', () => {
    expect(addressOf({ labels: web, networks: { bridge: '172.17.0.2' } })).toBe('172.17.0.2:80');
    expect(addressOf({ labels: web, networks: { bridge: '172.17.0.2', other: '172.18.0.2' } })).toMatch(/several/);
    expect(addressOf({ labels: web, networks: { bridge: '172.17.0.2', front: '10.0.1.5' } })).toBe('10.0.1.5:80');
  });
});

describe('the address of a node', () => {
  const host = { ...web, 'zookit.network': 'host' };
  const at = (...bindings: [HostIp: string, HostPort: string][]) => ({
    '80/tcp': bindings.map(([HostIp, HostPort]) => ({ HostIp, HostPort })),
  });

  it('goes with the port that is published there', () => {
    expect(addressOf({ labels: host, ports: at(['0.0.0.0', '32768'], ['::', '32768']) })).toBe('192.0.2.7:32768');
    expect(addressOf({ labels: host, ports: at(['198.51.100.4', '8080']) })).toBe('198.51.100.4:8080');
  });

  it('is the place of a container in the network of the host', () => {
    expect(addressOf({ labels: web, networkMode: 'host', networks: { host: '' } })).toBe('192.0.2.7:80');
  });

  it('has to be known, and the port published for others', () => {
    expect(addressOf({ labels: host, ports: at(['', '8080']) }, { ...node, address: undefined })).toMatch(
      /^web: the address of the node is not known/,
    );
    expect(addressOf({ labels: host })).toBe('web: the port 80 is not published on the node');
    expect(addressOf({ labels: host, ports: { '80/tcp': null } })).toBe(
      'web: the port 80 is not published on the node',
    );
    expect(addressOf({ labels: host, ports: at(['127.0.0.1', '8080']) })).toMatch(/, but on its loopback$/);
  });
});

describe('a signal', () => {
  const container = (stopSignal?: string) =>
    readContainer(inspected('c1', { labels: web, ...(stopSignal !== undefined && { stopSignal }) }));

  it.each([
    ['15', undefined, 'stop'],
    ['TERM', undefined, 'stop'],
    ['9', undefined, 'end'],
    ['1', undefined, 'nothing'],
    ['3', undefined, 'nothing'],
    ['3', 'SIGQUIT', 'stop'],
    ['15', 'SIGQUIT', 'stop'],
    ['3', '3', 'stop'],
    ['', undefined, 'nothing'],
    ['37', 'SIGRTMIN+3', 'stop'],
    ['34', 'RTMIN', 'stop'],
  ])('%s to a container that stops by %s: %s', (signal, stopSignal, expected) => {
    expect(signalMeans(signal, container(stopSignal))).toBe(expected);
  });

  it('means the same for a container that is not known yet', () => {
    expect([signalMeans('15', undefined), signalMeans('1', undefined)]).toEqual(['stop', 'nothing']);
  });
});
