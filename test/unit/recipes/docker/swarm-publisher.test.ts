import { describe, expect, it } from '@jest/globals';
import { changesOf, treeOf } from '../../../../recipes/docker/swarm-publisher.js';
import { readSwarmNode, readSwarmService } from '../../../../recipes/docker/swarm-report.js';

const manager = {
  ID: 'n1',
  Spec: { Role: 'manager', Availability: 'active', Labels: { rack: '7' } },
  Description: {
    Hostname: 'host-1',
    Platform: { Architecture: 'x86_64', OS: 'linux' },
    Engine: { EngineVersion: '20.10.24' },
    TLSInfo: { TrustRoot: 'PEM' },
  },
  Status: { State: 'ready', Addr: '0.0.0.0' },
  ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '10.0.0.5:2377' },
};

const service = {
  ID: 's1',
  Spec: {
    Name: 'shop_web',
    Labels: { 'com.docker.stack.namespace': 'shop' },
    TaskTemplate: {
      ContainerSpec: {
        Image: 'web:1',
        Labels: { 'zookit.port': '80' },
        Env: ['PASSWORD=secret-1'],
        Args: ['--password=secret-2'],
        Command: ['secret-3'],
        Secrets: [{ SecretName: 'secret-4' }],
        Mounts: [{ Source: 'secret-5' }],
      },
      Networks: [{ Target: 'net-1' }, { Target: 'net-2' }],
    },
    Mode: { Replicated: { Replicas: 3 } },
  },
  Endpoint: {
    Spec: { Mode: 'vip' },
    Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }],
  },
  UpdateStatus: { State: 'completed', Message: 'update completed' },
};

describe('a node', () => {
  it('of a manager has the address by which managers know each other', () => {
    expect(readSwarmNode(manager)).toEqual({
      ...{ id: 'n1', hostname: 'host-1', address: '10.0.0.5', role: 'manager', availability: 'active' },
      ...{ state: 'ready', message: '', labels: { rack: '7' }, engineVersion: '20.10.24' },
      manager: { leader: true, reachability: 'reachable' },
      platform: { os: 'linux', architecture: 'x86_64' },
    });
    const v6 = { ...manager, ManagerStatus: { Addr: '[fd00::5]:2377' } };
    expect(readSwarmNode(v6).address).toBe('fd00::5');
  });

  it('of a worker has what its status says', () => {
    const worker = { ...manager, Status: { State: 'down', Message: 'heartbeat failure', Addr: '10.0.0.6' } };
    expect(readSwarmNode({ ...worker, ManagerStatus: undefined })).toMatchObject({
      ...{ address: '10.0.0.6', state: 'down', message: 'heartbeat failure', manager: null },
    });
  });
});

describe('a service', () => {
  it('is its definition, without what may be secret', () => {
    expect(readSwarmService(service)).toEqual({
      ...{ id: 's1', name: 'shop_web', image: 'web:1', mode: { kind: 'replicated', replicas: 3 } },
      ...{ labels: { 'com.docker.stack.namespace': 'shop' }, containerLabels: { 'zookit.port': '80' } },
      ports: [{ protocol: 'tcp', target: 80, published: 8080, mode: 'ingress' }],
      ...{ networks: ['net-1', 'net-2'], endpointMode: 'vip' },
      update: { state: 'completed', message: 'update completed' },
    });
    expect(JSON.stringify(readSwarmService(service))).not.toContain('secret');
  });

  it.each([
    [{ Global: {} }, { kind: 'global', replicas: null }],
    [{ ReplicatedJob: { TotalCompletions: 5 } }, { kind: 'replicated-job', replicas: 5 }],
    [{ GlobalJob: {} }, { kind: 'global-job', replicas: null }],
    [{}, { kind: 'unknown', replicas: null }],
  ])('of the mode %j', (Mode, mode) => {
    const { update, ...rest } = readSwarmService({ ...service, Spec: { ...service.Spec, Mode }, UpdateStatus: null });
    expect([rest.mode, update]).toEqual([mode, null]);
  });
});

describe('what is published', () => {
  const nodes = [readSwarmNode(manager)];
  const services = [readSwarmService(service)];

  it('stands below the path, networks by name where it is known', () => {
    const tree = treeOf({ path: '/swarm', publishLabels: true }, nodes, services, new Map([['net-1', 'front']]));
    expect([...tree.keys()]).toEqual(['/swarm/nodes/n1', '/swarm/services/shop_web']);
    expect(JSON.parse(tree.get('/swarm/services/shop_web')!)).toEqual({ ...services[0], networks: ['front', 'net-2'] });
    expect(JSON.parse(tree.get('/swarm/nodes/n1')!)).toEqual(nodes[0]);
  });

  it('has no labels where they are not wanted', () => {
    const tree = treeOf({ path: '/swarm', publishLabels: false }, nodes, services, new Map());
    expect([...tree.values()].join()).not.toMatch(/rack|zookit.port|namespace/);
  });

  it('is written where it has changed, and deleted where it is gone', () => {
    const known = new Map([
      ['/a', '1'],
      ['/b', '1'],
      ['/c', '1'],
    ]);
    const wanted = new Map([
      ['/a', '1'],
      ['/b', '2'],
      ['/d', '1'],
    ]);
    expect(changesOf(known, wanted)).toEqual([
      { path: '/b', data: '2', isNew: false },
      { path: '/d', data: '1', isNew: true },
      { path: '/c', data: undefined, isNew: false },
    ]);
    expect(changesOf(wanted, wanted)).toEqual([]);
  });
});
