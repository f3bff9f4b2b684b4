import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import type { ServiceInstance } from '../../../recipes/services/service-instance.js';
import { parseUriTemplate, uriOf } from '../../../recipes/services/uri-template.js';

const instance: ServiceInstance = {
  name: 'cart',
  id: 'a-1',
  address: '10.0.0.7',
  port: 8080,
  sslPort: null,
  payload: null,
  registrationTimeUTC: 1_700_000_000_123,
  serviceType: 'DYNAMIC_SEQUENTIAL',
  uriSpec: null,
  enabled: true,
  weight: null,
  zone: null,
};

function built(text: string, change: Partial<ServiceInstance> = {}, variables = {}): string {
  return uriOf({ ...instance, uriSpec: parseUriTemplate(text), ...change }, variables);
}

describe('parseUriTemplate', () => {
  it('makes the parts that Curator makes', () => {
    expect(parseUriTemplate('{scheme}://foo.com:{ port }/x').parts).toEqual([
      { value: 'scheme', variable: true },
      { value: '://foo.com:', variable: false },
      { value: 'port', variable: true },
      { value: '/x', variable: false },
    ]);
    expect(parseUriTemplate('').parts).toEqual([]);
  });

  it.each(['{', '}', '{a', 'a}', '{a{b}}', '{}', '{ }', '}{'])('refuses %p', (text) => {
    expect(() => parseUriTemplate(text)).toThrow(InvalidArgumentError);
    expect(() => parseUriTemplate(text)).toThrow(`the uriSpec ${JSON.stringify(text)} is no template`);
  });
});

describe('uriOf', () => {
  it("knows Curator's variables", () => {
    const text = '{scheme}|{name}|{id}|{address}|{port}|{ssl-port}|{registration-time-utc}|{service-type}|{[}{]}';
    expect(built(text)).toBe('http|cart|a-1|10.0.0.7|8080||1700000000123|dynamic_sequential|{}');
    expect(built(text, { sslPort: 8443, address: null })).toBe(
      'https|cart|a-1||8080|8443|1700000000123|dynamic_sequential|{}',
    );
  });

  it('takes those of the caller first, and names one that nobody has given', () => {
    expect(built('{scheme}://{address}/{version}', {}, { scheme: 'ws', version: 2 })).toBe('ws://10.0.0.7/2');
    expect(() => built('{version}')).toThrow('needs the variable "version"; known are scheme, name');
    expect(() => built('{toString}')).toThrow(InvalidArgumentError);
  });

  it('puts an IPv6 address into brackets', () => {
    expect(built('http://{address}:{port}', { address: 'fd00::7' })).toBe('http://[fd00::7]:8080');
    expect(built('http://[{address}]:{port}', { address: 'fd00::7' })).toBe('http://[fd00::7]:8080');
  });

  it('has a template of its own where the instance has none', () => {
    expect(uriOf(instance)).toBe('http://10.0.0.7:8080');
    expect(uriOf({ ...instance, sslPort: 8443 })).toBe('https://10.0.0.7:8443');
    expect(uriOf({ ...instance, port: null })).toBe('http://10.0.0.7');
  });
});
