import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import {
  checkServicePart,
  checkServicePort,
  checkServiceWeight,
  decodeInstance,
  encodeInstance,
  InvalidServiceInstanceError,
  type ServiceInstance,
} from '../../../recipes/services/service-instance.js';

const full: ServiceInstance = {
  name: 'cart',
  id: 'a-1',
  address: '10.0.0.7',
  port: 8080,
  sslPort: 8443,
  payload: { '@class': 'shop.Cart', weight: 3 },
  registrationTimeUTC: 1_700_000_000_123,
  serviceType: 'DYNAMIC',
  uriSpec: { parts: [{ value: 'scheme', variable: true }] },
  enabled: true,
  weight: null,
  zone: null,
};
const decode = (text: string): ServiceInstance => decodeInstance(text, '/services/cart/a-1');

describe('encodeInstance', () => {
  it("writes Curator's keys in Curator's order", () => {
    expect(encodeInstance(full)).toBe(
      '{"name":"cart","id":"a-1","address":"10.0.0.7","port":8080,"sslPort":8443,' +
        '"payload":{"@class":"shop.Cart","weight":3},"registrationTimeUTC":1700000000123,"serviceType":"DYNAMIC",' +
        '"uriSpec":{"parts":[{"value":"scheme","variable":true}]}}',
    );
  });

  it('writes nulls out, enabled only where it is false, weight and zone only where there is one', () => {
    const bare = { ...full, address: null, port: null, sslPort: null, payload: null, uriSpec: null };
    const expected =
      '{"name":"cart","id":"a-1","address":null,"port":null,"sslPort":null,"payload":null,' +
      '"registrationTimeUTC":1700000000123,"serviceType":"DYNAMIC","uriSpec":null';
    expect(encodeInstance(bare)).toBe(`${expected}}`);
    expect(encodeInstance({ ...bare, enabled: false })).toBe(`${expected},"enabled":false}`);
    expect(encodeInstance({ ...bare, weight: 0.5 })).toBe(`${expected},"weight":0.5}`);
    expect(encodeInstance({ ...bare, zone: 'north' })).toBe(`${expected},"zone":"north"}`);
  });

  it('refuses a payload that JSON cannot hold', () => {
    expect(() => encodeInstance({ ...full, payload: { big: 1n } })).toThrow(InvalidArgumentError);
  });
});

describe('decodeInstance', () => {
  it('reads what encodeInstance writes', () => {
    const near = { ...full, weight: 3, zone: 'north' };
    for (const instance of [full, { ...full, enabled: false }, { ...full, port: null, payload: 'text' }, near])
      expect(decode(encodeInstance(instance))).toEqual(instance);
  });

  it('takes the defaults of Curator for what is missing, name and id from the path, and passes over what it does not know', () => {
    expect(decode('{"later":1}')).toEqual({
      name: 'cart',
      id: 'a-1',
      address: null,
      port: null,
      sslPort: null,
      payload: null,
      registrationTimeUTC: 0,
      serviceType: 'DYNAMIC',
      uriSpec: null,
      enabled: true,
      weight: null,
      zone: null,
    });
  });

  it('passes over a URI template, a weight and a zone that are none', () => {
    for (const uriSpec of [
      7,
      'http://x',
      {},
      { parts: 'x' },
      { parts: [null] },
      { parts: [{ value: 1, variable: true }] },
    ])
      expect(decode(JSON.stringify({ uriSpec })).uriSpec).toBeNull();
    for (const weight of [0, -1, 'heavy', {}]) expect(decode(JSON.stringify({ weight })).weight).toBeNull();
    expect(decode('{"zone":7}').zone).toBeNull();
  });

  it('takes numbers that are written as texts', () => {
    expect(decode('{"port":"80","sslPort":"x","registrationTimeUTC":"5"}')).toMatchObject({
      port: 80,
      sslPort: null,
      registrationTimeUTC: 5,
    });
    expect(decode('{"port":" "}').port).toBeNull();
  });

  it.each(['', '{', 'null', '[]', '"cart"', '7', '{"serviceType":"OTHER"}', '{"serviceType":7}'])(
    'refuses %p',
    (text) => {
      expect(() => decode(text)).toThrow(InvalidServiceInstanceError);
      expect(() => decode(text)).toThrow(/^discover \/services\/cart\/a-1: not the data of a service instance: /);
    },
  );
});

describe('the checks of a registration', () => {
  it('a name is one part of a path', () => {
    checkServicePart('cart v2', 'name');
    for (const wrong of ['', 'a/b', '.', '..', 7])
      expect(() => checkServicePart(wrong as string, 'name')).toThrow(InvalidArgumentError);
  });

  it('a port is a port, or none', () => {
    for (const right of [null, 0, 80, 65535]) checkServicePort(right, 'port');
    for (const wrong of [-1, 65536, 80.5, NaN, '80', undefined])
      expect(() => checkServicePort(wrong as number, 'port')).toThrow(InvalidArgumentError);
  });
  it('a weight is above 0, or none', () => {
    for (const right of [null, 0.1, 100]) checkServiceWeight(right);
    for (const wrong of [0, -1, NaN, Infinity, '3', undefined])
      expect(() => checkServiceWeight(wrong as number)).toThrow(InvalidArgumentError);
  });
});
