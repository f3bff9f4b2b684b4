import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { InvalidServiceInstanceError, parseUriTemplate } from 'zookit/recipes';
import { baseOf, nameOfInstance, parseServiceUrl, targetOf } from '../../../../recipes/services/service-url.js';
import { instance } from './fake-providers.js';

describe('an address of a service', () => {
  it.each([
    ['service://pricing/prices/7?a=b&c', { service: 'pricing', secure: false, path: '/prices/7', query: '?a=b&c' }],
    ['services://pricing', { service: 'pricing', secure: true, path: '/', query: '' }],
    ['service://Pricing.EU/', { service: 'Pricing.EU', secure: false, path: '/', query: '' }],
    ['service://com.shop%3Apricing/a%20b#c', { service: 'com.shop:pricing', secure: false, path: '/a%20b', query: '' }],
  ])('%s', (text, expected) => {
    expect(parseServiceUrl(text, 'test')).toEqual(expected);
  });

  it.each([
    ['/prices', 'is no address'],
    ['http://pricing/', 'http:// is none of a service'],
    ['service:///prices', 'names no service'],
    ['service://pricing:80/', 'has no port'],
    ['service://me:secret@pricing/', 'no user'],
    ['service://%E0%A4/', 'cannot be decoded'],
  ])('%s is none', (text, problem) => {
    expect(() => parseServiceUrl(text, 'test')).toThrow(InvalidArgumentError);
    expect(() => parseServiceUrl(text, 'test')).toThrow(problem);
  });
});

describe('where an instance is', () => {
  it.each([
    ['its address and port', {}, false, 'http://10.0.0.1:8080/'],
    ['its sslPort', { sslPort: 8443 }, true, 'https://10.0.0.1:8443/'],
    ['its port over TLS, if it has no other', {}, true, 'https://10.0.0.1:8080/'],
    ['its sslPort, if it has no other', { port: null, sslPort: 8443 }, false, 'https://10.0.0.1:8443/'],
    ['an IPv6 address', { address: '::1' }, false, 'http://[::1]:8080/'],
    ['a name', { address: 'a.local' }, false, 'http://a.local:8080/'],
    ['its template', { uriSpec: parseUriTemplate('{scheme}://{address}:{port}/v1') }, false, 'http://10.0.0.1:8080/v1'],
    [
      'its template over TLS',
      { uriSpec: parseUriTemplate('{scheme}://{address}:{port}/v1/'), sslPort: 8443 },
      true,
      'https://10.0.0.1:8443/v1/',
    ],
    [
      'a template that needs no address',
      { address: null, uriSpec: parseUriTemplate('https://shop.example') },
      true,
      'https://shop.example/',
    ],
  ])('%s', (_, fields, secure, expected) => {
    expect(baseOf(instance('a', fields), secure).href).toBe(expected);
  });

  it.each([
    ['no address', { address: null }, false, 'it has no address'],
    ['no port', { port: null }, false, 'it has no port'],
    ['an address that is none', { address: 'a b' }, false, 'is no address'],
    ['a template that makes none', { uriSpec: parseUriTemplate('{address}') }, false, 'is no address'],
    [
      'a template of something else',
      { uriSpec: parseUriTemplate('amqp://{address}') },
      false,
      'amqp://, which is not HTTP',
    ],
    ['a template without TLS', { uriSpec: parseUriTemplate('http://{address}') }, true, 'without TLS'],
    ['a variable that nobody knows', { uriSpec: parseUriTemplate('http://{rack}') }, false, '"rack"'],
  ])('%s: it cannot be called', (_, fields, secure, problem) => {
    const base = () => baseOf(instance('a', fields), secure);
    expect(base).toThrow(InvalidServiceInstanceError);
    expect(base).toThrow(problem);
  });
});

it.each([
  ['http://a:1/', 'http://a:1/prices/7?x=1'],
  ['http://a:1/v1', 'http://a:1/v1/prices/7?x=1'],
  ['http://a:1/v1/?of=template', 'http://a:1/v1/prices/7?x=1'],
])('what is asked for comes behind %s', (base, expected) => {
  expect(targetOf(new URL(base), { path: '/prices/7', query: '?x=1' }).href).toBe(expected);
});

it('names an instance by its address and its id', () => {
  expect(nameOfInstance(instance('a'))).toBe('10.0.0.1:8080 (a)');
  expect(nameOfInstance(instance('a', { port: null, sslPort: 1 }))).toBe('10.0.0.1:1 (a)');
  expect(nameOfInstance(instance('a', { address: null }))).toBe('a');
});
