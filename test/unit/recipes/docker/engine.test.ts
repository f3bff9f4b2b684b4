import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { readContainer } from '../../../../recipes/docker/container-report.js';
import { readEvent, sinceText } from '../../../../recipes/docker/engine-event.js';
import { readEngineHost } from '../../../../recipes/docker/engine-host.js';
import { readInfo } from '../../../../recipes/docker/engine-report.js';
import { DockerEngineError } from '../../../../recipes/docker/errors.js';
import { inspected } from '../../../support/fake-engine.js';

describe('the host of an engine', () => {
  it.each([
    ['unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
    ['tcp://10.0.0.5', { host: '10.0.0.5', port: 2375 }],
    ['tcp://proxy:80', { host: 'proxy', port: 80 }],
    ['tcp://[fd00::5]:4000/', { host: 'fd00::5', port: 4000 }],
    ['http://proxy:2375', { host: 'proxy', port: 2375 }],
  ])('%s', (text, expected) => {
    expect(readEngineHost(text)).toEqual(expected);
  });

  it.each([
    '',
    'unix://',
    '/var/run/docker.sock',
    'ssh://host',
    'tcp://',
    'tcp://host/path',
    'tcp://user@host',
    'tcp://h:x',
  ])('is not %j', (text) => {
    expect(() => readEngineHost(text)).toThrow(InvalidArgumentError);
  });
});

describe('an event', () => {
  it('is read as an engine writes it', () => {
    const line =
      '{"status":"health_status: healthy","id":"c1","from":"image","Type":"container","Action":"health_status: healthy",' +
      '"Actor":{"ID":"c1","Attributes":{"name":"web"}},"scope":"local","time":1774000000,"timeNano":1774000000123456789}';
    expect(readEvent(line)).toEqual({
      ...{ type: 'container', action: 'health_status', id: 'c1', attributes: { name: 'web' } },
      time: 1774000000123456,
    });
  });

  it.each([
    ['{"Type":"container"', /^an event is no JSON/],
    ['[]', /\[\] at event, where an object should be/],
    ['{"Action":"start","Actor":{"ID":"c1"}}', /nothing at event.Type, where a text should be/],
    ['{"Type":"container","Action":"start"}', /nothing at Actor.ID/],
    ['{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"name":1}}}', /1 at Actor.Attributes.name/],
    [
      '{"Type":"container","Action":"start","Actor":{"ID":"c1"},"timeNano":"x"}',
      /"x" at event.timeNano, where a number/,
    ],
  ])('%s is none', (line, problem) => {
    expect(() => readEvent(line)).toThrow(problem);
    expect(() => readEvent(line)).toThrow(DockerEngineError);
  });

  it('has a time that engines can be asked for', () => {
    expect([sinceText(1774000000123456), sinceText(1774000000000001), sinceText(0)]).toEqual([
      '1774000000.123456',
      '1774000000.000001',
      '0.000000',
    ]);
  });
});

describe('what an engine answers', () => {
  it('of a container is read', () => {
    const answer = inspected('c1', {
      labels: { a: 'b' },
      health: 'starting',
      exposed: ['80/tcp', '53/udp', '9090'],
      ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '81/tcp': null },
    });
    expect(readContainer(answer)).toEqual({
      ...{ id: 'c1', name: 'c1-name', labels: { a: 'b' }, running: true, paused: false, health: 'starting' },
      ...{ startedAt: Date.parse('2026-03-01T10:00:00.123Z'), stopSignal: 'SIGTERM', onHostNetwork: false },
      ...{ exposed: [80, 9090], published: [{ port: 80, hostAddress: '0.0.0.0', hostPort: 8080 }] },
      networks: [{ name: 'front', id: 'front-id', address: '10.0.1.5' }],
    });
  });

  it('of a container may lack most of it', () => {
    expect(readContainer({ Id: 'c1', Config: { Labels: null }, NetworkSettings: { Networks: null } })).toMatchObject({
      ...{ id: 'c1', labels: {}, running: false, health: 'none', networks: [], published: [] },
      startedAt: undefined,
    });
    expect(readContainer({ Id: 'c1', State: { StartedAt: '0001-01-01T00:00:00Z' } }).startedAt).toBeUndefined();
  });

  it.each([
    [null, /null at container/],
    [{}, /nothing at container.Id/],
    [{ Id: 'c1', State: { Running: 'yes' } }, /"yes" at State.Running, where true or false should be/],
    [{ Id: 'c1', Config: { Labels: { a: 1 } } }, /1 at Config.Labels.a/],
    [{ Id: 'c1', NetworkSettings: { Ports: { '80/tcp': 'x' } } }, /"x" at NetworkSettings.Ports.80\/tcp, where a list/],
  ])('of a container is not %j', (answer, problem) => {
    expect(() => readContainer(answer)).toThrow(problem);
  });

  it('of itself is read, in a Swarm and without one', () => {
    const Swarm = { NodeID: 'n1', NodeAddr: '10.0.0.5', ControlAvailable: true };
    expect(readInfo({ ID: 'E', Name: 'host', Labels: ['zone=north=1', 'x'], SystemTime: 'then', Swarm })).toEqual({
      ...{ node: 'n1', hostname: 'host', address: '10.0.0.5', isManager: true, time: undefined },
      labels: { zone: 'north=1', x: 'x' },
    });
    expect(readInfo({ ID: 'E', Name: 'host', Swarm: { NodeID: '', NodeAddr: '' } })).toMatchObject({
      ...{ node: 'E', address: '', isManager: false },
    });
  });
});
