import { describe, expect, it } from '@jest/globals';
import { isLabelled, readLabels } from '../../../../recipes/docker/container-labels.js';

const none = { sslPort: null, payload: null, weight: null, zone: null, network: undefined, suffix: '' };

describe('which containers ask to be registered', () => {
  it.each([
    [{ 'com.docker.swarm.service.port': '80' }, true],
    [{ 'zookit.name': 'web' }, true],
    [{ 'zookit.port': '80' }, true],
    [{ 'zookit.80.name': 'web' }, true],
    [{ 'com.docker.swarm.service.name': 'web' }, false],
    [{ 'zookit.zone': 'north' }, false],
    [{}, false],
  ])('%j: %s', (labels, expected) => {
    expect(isLabelled(labels as Record<string, string>)).toBe(expected);
  });
});

describe('one service', () => {
  it('has its name from the Swarm, and its port from a label', () => {
    const labels = { 'com.docker.swarm.service.name': 'shop_web', 'com.docker.swarm.service.port': '8080' };
    expect(readLabels(labels, [])).toEqual({ services: [{ ...none, name: 'shop_web', port: 8080 }], problems: [] });
  });

  it('has what the labels of zookit say before what the Swarm says', () => {
    const labels = {
      'com.docker.swarm.service.name': 'shop_web',
      'com.docker.swarm.service.port': '8080',
      'zookit.name': 'web',
      'zookit.port': '80',
      'zookit.ssl-port': '443',
      'zookit.weight': '2.5',
      'zookit.zone': 'north',
      'zookit.payload': '{"version":[1,2]}',
      'zookit.network': 'front',
      'zookit.ignore': 'false',
    };
    expect(readLabels(labels, [9000])).toEqual({
      services: [
        {
          ...{ name: 'web', port: 80, sslPort: 443, weight: 2.5, zone: 'north', network: 'front', suffix: '' },
          payload: { version: [1, 2] },
        },
      ],
      problems: [],
    });
  });

  it('has the only port that the image exposes, if no label says which', () => {
    expect(readLabels({ 'zookit.name': 'web' }, [80]).services).toEqual([{ ...none, name: 'web', port: 80 }]);
    expect(readLabels({ 'zookit.name': 'web' }, [80, 81])).toEqual({
      services: [],
      problems: ['web has no port: set zookit.port (the image exposes the ports 80, 81)'],
    });
    expect(readLabels({ 'zookit.name': 'web', 'zookit.ssl-port': '443' }, [80]).services).toEqual([
      { ...none, name: 'web', port: null, sslPort: 443 },
    ]);
  });

  it('is none where it is to be ignored', () => {
    expect(readLabels({ 'zookit.name': 'web', 'zookit.port': '80', 'zookit.ignore': 'true' }, [])).toEqual({
      services: [],
      problems: [],
    });
  });
});

describe('several services of one container', () => {
  it('share what has no port before it, and have ids of their own', () => {
    const labels = {
      'zookit.zone': 'north',
      'zookit.80.name': 'web',
      'zookit.9090.name': 'metrics',
      'zookit.9090.zone': 'south',
    };
    expect(readLabels(labels, [])).toEqual({
      services: [
        { ...none, name: 'web', port: 80, zone: 'north', suffix: '-80' },
        { ...none, name: 'metrics', port: 9090, zone: 'south', suffix: '-9090' },
      ],
      problems: [],
    });
  });

  it('are named after the one, with the port, where they have no name', () => {
    const labels = { 'zookit.name': 'web', 'zookit.80.weight': '1', 'zookit.81.weight': '2' };
    expect(readLabels(labels, []).services.map(({ name }) => name)).toEqual(['web-80', 'web-81']);
  });

  it('stand beside the one that has its port by a label', () => {
    const labels = { 'zookit.name': 'web', 'zookit.port': '80', 'zookit.9090.name': 'metrics' };
    expect(readLabels(labels, []).services.map(({ name, suffix }) => name + suffix)).toEqual(['web', 'metrics-9090']);
  });

  it('do not keep each other from being registered', () => {
    const { services, problems } = readLabels({ 'zookit.80.name': 'web', 'zookit.90.weight': 'much' }, []);
    expect(services.map(({ name }) => name)).toEqual(['web']);
    expect(problems).toEqual(['zookit.90.weight is "much"; it must be a number above 0']);
  });
});

describe('labels that are wrong', () => {
  it.each([
    ['zookit.port', '0', 'it must be a port, from 1 to 65535'],
    ['zookit.port', '65536', 'it must be a port, from 1 to 65535'],
    ['zookit.port', '80/tcp', 'it must be a port, from 1 to 65535'],
    ['zookit.port', '', 'it must be a port, from 1 to 65535'],
    ['zookit.ssl-port', 'https', 'it must be a port, from 1 to 65535'],
    ['zookit.weight', '0', 'it must be a number above 0'],
    ['zookit.weight', ' ', 'it must be a number above 0'],
    ['zookit.weight', 'Infinity', 'it must be a number above 0'],
    ['zookit.payload', '{', 'it must be JSON: '],
    ['zookit.zone', '', 'it must not be empty'],
    ['zookit.name', 'a/b', 'the name of a service is "a/b"; it must be a text without "/"'],
    ['zookit.name', '', 'the name of a service is ""; it must be a text without "/"'],
    ['zookit.99999.name', 'web', 'it must be a port, from 1 to 65535'],
  ])('%s=%j', (label, value, problem) => {
    const { services, problems } = readLabels({ 'zookit.name': 'web', 'zookit.port': '80', [label]: value }, []);
    expect(services.filter(({ suffix }) => suffix !== '' || !label.includes('9'))).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it('are told all at once', () => {
    const { problems } = readLabels({ 'zookit.name': 'web', 'zookit.port': 'x', 'zookit.weight': 'y' }, []);
    expect(problems).toHaveLength(2);
  });

  it('that nobody knows are told, and do no harm', () => {
    const { services, problems } = readLabels({ 'zookit.name': 'web', 'zookit.port': '80', 'zookit.wieght': '2' }, []);
    expect(services).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^there is no label zookit.wieght; known are name, port, /)]);
  });

  it('that leave open what is to be ignored count as to be ignored', () => {
    expect(readLabels({ 'zookit.name': 'web', 'zookit.port': '80', 'zookit.ignore': 'yes' }, [])).toEqual({
      services: [],
      problems: ['zookit.ignore is "yes"; it must be "true" or "false"'],
    });
  });

  it('are none without a name', () => {
    expect(readLabels({ 'zookit.port': '80' }, [])).toEqual({
      services: [],
      problems: ['there is no zookit.name, and no Swarm has named a service'],
    });
  });
});
