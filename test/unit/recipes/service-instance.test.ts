import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import {
  checkServicePart,
  checkServicePort,
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

  it('writes nulls out, and enabled only where it is false', () => {
    const bare = { ...full, address: null, port: null, sslPort: null, payload: null, uriSpec: null };
    const expected =
      '{"name":"cart","id":"a-1","address":null,"port":null,"sslPort":null,"payload":null,' +
      '"registrationTimeUTC":1700000000123,"serviceType":"DYNAMIC","uriSpec":null';
    expect(encodeInstance(bare)).toBe(`${expected}}`);
    expect(encodeInstance({ ...bare, enabled: false })).toBe(`${expected},"enabled":false}`);
  });

  it('refuses a payload that JSON cannot hold', () => {
    expect(() => encodeInstance({ ...full, payload: { big: 1n } })).toThrow(InvalidArgumentError);
  });
});

describe('decodeInstance', () => {
  it('reads what encodeInstance writes', () => {
    for (const instance of [full, { ...full, enabled: false }, { ...full, port: null, payload: 'text' }])
      expect(decode(encodeInstance(instance))).toEqual(instance);
  });

  it('takes the defaults of Curator for what is missing, and passes over what it does not know', () => {
    expect(decode('{"later":1}')).toEqual({
      name: '',
      id: '',
      address: null,
      port: null,
      sslPort: null,
      payload: null,
      registrationTimeUTC: 0,
      serviceType: 'DYNAMIC',
      uriSpec: null,
      enabled: true,
    });
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
});
