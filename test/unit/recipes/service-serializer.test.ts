import { describe, expect, it } from '@jest/globals';
import type { ServiceInstance } from '../../../recipes/services/service-instance.js';
import { curatorSerializer, readInstance } from '../../../recipes/services/service-serializer.js';
import { znodeOf } from './caches/znodes.js';

const instance: ServiceInstance = {
  name: 'cart',
  id: 'a-1',
  address: '10.0.0.7',
  port: 8080,
  sslPort: null,
  payload: { since: new Date(86_400_000) },
  registrationTimeUTC: 1_700_000_000_123,
  serviceType: 'DYNAMIC',
  uriSpec: null,
  enabled: true,
  weight: null,
  zone: null,
};

/** As a Java reader wants it, with the name of its class. */
const dated = curatorSerializer<{ since: Date }>({
  encode: ({ since }) => ({ '@class': 'shop.Dated', since: since.getTime() }),
  decode: (json) => {
    const { since } = json as { since: unknown };
    if (typeof since !== 'number') throw new TypeError('no time');
    return { since: new Date(since) };
  },
});

describe('the serializer of Curator', () => {
  it('writes payloads as they are', () => {
    const { serialize } = curatorSerializer();
    expect(JSON.parse(String(serialize({ ...instance, payload: { a: 1 } })))).toMatchObject({ payload: { a: 1 } });
  });

  it('writes and reads payloads through a codec, but for those that are null', () => {
    const text = String(dated.serialize(instance));
    expect(JSON.parse(text)).toMatchObject({ payload: { '@class': 'shop.Dated', since: 86_400_000 } });
    expect(readInstance(dated, znodeOf(text), '/services/cart/a-1')).toEqual(instance);
    const bare = { ...instance, payload: null };
    expect(readInstance(dated, znodeOf(String(dated.serialize(bare))), '/services/cart/a-1')).toEqual(bare);
  });

  it('finds no instance where it cannot read one, or its payload', () => {
    for (const text of ['', 'hello', '[]', '{"payload":{"since":"today"}}'])
      expect(readInstance(dated, znodeOf(text), '/services/cart/a-1')).toBeUndefined();
  });
});
