import { createCipheriv, webcrypto } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  absolutePath,
  type EncryptionOptions,
  isEncrypted,
  ValueCipher,
} from '../../../../recipes/config/encryption.js';
import { concealValue, encrypt, revealValue, Secret, secretsIn } from '../../../../recipes/config/secrets.js';
import { failureOf } from '../../../server/clients.js';

const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const otherKey = Buffer.alloc(32, 7);
const place = { znode: '/shop/config/cart', keys: ['db', 'password'] };
const subject = { operation: 'test', path: '/config/cart' };

function cipher(options: EncryptionOptions = { key }): ValueCipher {
  return new ValueCipher(options, subject);
}

describe('a cipher', () => {
  it('reads what was written by AES-256-GCM elsewhere, with the place as additional data', async () => {
    // Case 16 of the GCM test vectors shows that the primitive is the right one; this is how a text is made of it.
    const iv = Buffer.from('cafebabefacedbaddecaf888', 'hex');
    const additionalData = Buffer.from('["enc:v1:","1","/shop/config/cart","db","password"]');
    const imported = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    const sealed = await webcrypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData },
      imported,
      Buffer.from('"s3cret"'),
    );
    const text = `enc:v1:1:${Buffer.concat([iv, Buffer.from(sealed)]).toString('base64')}`;
    expect(text).toBe('enc:v1:1:yv66vvrO263eyviIqNCTRdgfOzlc7xqHTop8I+GHgQoQIBOX');
    expect(await cipher().decrypt(text, place)).toBe('s3cret');
  });

  it('is the primitive of the GCM specification', () => {
    // Test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation.
    const gcm = createCipheriv(
      'aes-256-gcm',
      Buffer.from('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308', 'hex'),
      Buffer.from('cafebabefacedbaddecaf888', 'hex'),
    );
    gcm.setAAD(Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex'));
    const clear =
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39';
    gcm.update(Buffer.from(clear, 'hex'));
    gcm.final();
    expect(gcm.getAuthTag().toString('hex')).toBe('76fc6ece0f4e1768cddf8853bb2d551b');
  });

  it.each([['text'], [''], [5], [null], [{ user: 'a', list: [1, 2] }], ['\u{1f512} ä']])(
    'gives back %j',
    async (value) => {
      const text = await cipher().encrypt(value, place);
      expect(isEncrypted(text)).toBe(true);
      expect(await cipher().decrypt(text, place)).toEqual(value);
    },
  );

  it('never makes the same text twice', async () => {
    const texts = await Promise.all(Array.from({ length: 100 }, () => cipher().encrypt('same', place)));
    expect(new Set(texts).size).toBe(100);
  });

  it('refuses a text of which any bit was changed, naming the place and never the content', async () => {
    const text = await cipher().encrypt('s3cret', place);
    const bytes = Buffer.from(text.slice('enc:v1:1:'.length), 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const tampered = Buffer.from(bytes);
      tampered.writeUInt8(tampered.readUInt8(at) ^ 1, at);
      const failure = await failureOf(cipher().decrypt(`enc:v1:1:${tampered.toString('base64')}`, place));
      expect(failure).toMatchObject({
        code: 'DECRYPTION',
        path: '/config/cart',
        keyPath: 'db.password',
        keyId: '1',
      });
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toMatch(/s3cret/);
    }
  });

  it.each([
    [{ ...place, znode: '/shop/config/cart2' }],
    [{ ...place, keys: ['db', 'password2'] }],
    [{ ...place, keys: ['db.password'] }],
    [{ znode: '/shop/config', keys: ['cart', 'db', 'password'] }],
  ])('refuses a text that stands elsewhere: %j', async (elsewhere) => {
    const text = await cipher().encrypt('s3cret', place);
    expect(await failureOf(cipher().decrypt(text, elsewhere))).toMatchObject({ code: 'DECRYPTION' });
  });

  it.each(['enc:v1:', 'enc:v1:1', 'enc:v1:1:', 'enc:v1:1:AAAA', 'enc:v1:1:***', 'enc:v1:?:AAAA', 'enc:v1:a:b:c'])(
    'refuses what is not whole: %s',
    async (text) => {
      expect(await failureOf(cipher().decrypt(text, place))).toMatchObject({ code: 'DECRYPTION' });
    },
  );

  it('says which key is missing or another one', async () => {
    const text = await cipher({ key, keyId: '2026' }).encrypt('s3cret', place);
    const missing = await failureOf(cipher({ key: otherKey, keyId: '2027' }).decrypt(text, place));
    expect(missing).toMatchObject({ code: 'DECRYPTION', keyId: '2026' });
    expect(String(missing)).toContain('there is no key with the id 2026');
    expect(await failureOf(cipher({ key: otherKey, keyId: '2026' }).decrypt(text, place))).toMatchObject({
      code: 'DECRYPTION',
      keyId: '2026',
    });
  });

  it('reads with older keys, and writes with the one in use', async () => {
    const old = await cipher({ key, keyId: 'old' }).encrypt('s3cret', place);
    const both = cipher({ key: otherKey, keyId: 'new', olderKeys: { old: key } });
    expect(await both.decrypt(old, place)).toBe('s3cret');
    expect(await both.encrypt('s3cret', place)).toMatch(/^enc:v1:new:/);
  });

  it('takes the id of the key for a part of what is bound', async () => {
    const text = await cipher({ key, keyId: 'a' }).encrypt('s3cret', place);
    const renamed = text.replace('enc:v1:a:', 'enc:v1:b:');
    expect(await failureOf(cipher({ key, keyId: 'b' }).decrypt(renamed, place))).toMatchObject({ code: 'DECRYPTION' });
  });

  it.each([
    ['bytes', key],
    ['hexadecimal digits', key.toString('hex')],
    ['base64', key.toString('base64')],
    ['base64url', key.toString('base64url')],
    ['a variable', { env: 'ZOOKIT_TEST_KEY' }],
    ['a function', (id: string) => (id === '1' ? key : undefined)],
    ['a function that is asynchronous', async () => key.toString('hex')],
  ] as const)('takes a key as %s', async (_, source) => {
    process.env.ZOOKIT_TEST_KEY = key.toString('base64');
    try {
      const text = await cipher().encrypt('s3cret', place);
      expect(await cipher({ key: source }).decrypt(text, place)).toBe('s3cret');
    } finally {
      delete process.env.ZOOKIT_TEST_KEY;
    }
  });

  it.each([
    [{ key: 'short-and-telling' }],
    [{ key: Buffer.from('short-and-telling') }],
    [{ key, olderKeys: { a: 'short-and-telling' } }],
    [{ key, keyId: 'a:b' }],
    [{ key, keyid: 'a' } as EncryptionOptions],
    [{} as EncryptionOptions],
  ])('refuses at once what is no key or id, and does not show it: %#', (options) => {
    let failure: unknown;
    try {
      cipher(options);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('short-and-telling');
  });

  it('refuses a key from a variable or a function that is none when it is needed, and does not show it', async () => {
    process.env.ZOOKIT_TEST_KEY = 'short-and-telling';
    try {
      for (const source of [{ env: 'ZOOKIT_TEST_KEY' }, () => 'short-and-telling']) {
        const failure = await failureOf(cipher({ key: source }).encrypt('x', place));
        expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
        expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('short-and-telling');
      }
    } finally {
      delete process.env.ZOOKIT_TEST_KEY;
    }
    expect(await failureOf(cipher({ key: { env: 'ZOOKIT_TEST_KEY' } }).encrypt('x', place))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('shows no key when it is looked at', () => {
    const shown = inspect(cipher({ key: key.toString('hex') }), { depth: 9, showHidden: true });
    expect(shown).not.toContain(key.toString('hex'));
  });
});

it('a path is bound as the server knows it', () => {
  expect([
    absolutePath({ root: '/' }, '/a'),
    absolutePath({ root: '/r' }, '/a'),
    absolutePath({ root: '/r' }, '/'),
  ]).toEqual(['/a', '/r/a', '/r']);
});

describe('secrets in values', () => {
  const { znode } = place;
  const rule = { cipher: cipher(), znode, renew: false, subject, secrets: new Set<unknown>() };
  const nothing = { stored: undefined, value: undefined, texts: new Map() };

  it('are encrypted where they are marked, at any depth, and read again', async () => {
    const stored = await concealValue(
      { a: encrypt('x'), list: [1, { b: encrypt({ c: 2 }) }], d: 'plain' },
      nothing,
      rule,
    );
    expect(stored).toEqual({
      a: expect.stringMatching(/^enc:/) as unknown,
      list: [1, { b: expect.stringMatching(/^enc:/) as unknown }],
      d: 'plain',
    });
    expect((await revealValue(stored, cipher(), znode)).value).toEqual({
      a: 'x',
      list: [1, { b: { c: 2 } }],
      d: 'plain',
    });
    expect((await revealValue(await concealValue(encrypt('all'), nothing, rule), cipher(), znode)).value).toBe('all');
  });

  it('stay encrypted, and keep their text where they have not changed', async () => {
    const stored = (await concealValue({ a: encrypt('x'), b: 1 }, nothing, rule)) as { a: string };
    const before = await revealValue(stored, cipher(), znode);
    expect(before.value).toEqual({ a: 'x', b: 1 });
    expect(await concealValue({ a: 'x', b: 2 }, before, rule)).toEqual({ a: stored.a, b: 2 });
    const changed = (await concealValue({ a: 'y', b: 1 }, before, rule)) as { a: string };
    expect(changed.a).toMatch(/^enc:/);
    expect(changed.a).not.toBe(stored.a);
    expect(await concealValue({ b: 1 }, before, rule)).toEqual({ b: 1 });
  });

  it('are not laid open by being moved', async () => {
    const before = await revealValue(await concealValue([encrypt('x')], nothing, rule), cipher(), znode);
    const moved = (await concealValue(['new', 'x'], before, { ...rule, secrets: secretsIn([before]) })) as string[];
    expect(moved.map(isEncrypted)).toEqual([true, true]);
    expect((await revealValue(moved, cipher(), znode)).value).toEqual(['new', 'x']);
  });

  it('that are texts of another place are refused', async () => {
    const { a } = (await concealValue({ a: encrypt('x') }, nothing, rule)) as { a: string };
    expect(await failureOf(concealValue({ b: a }, nothing, rule))).toMatchObject({ code: 'DECRYPTION', keyPath: 'b' });
  });

  it('are refused without a key', async () => {
    const failure = failureOf(concealValue({ a: encrypt('x') }, nothing, { ...rule, cipher: undefined }));
    expect(await failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('show themselves to nobody', () => {
    const secret = new Secret('s3cret');
    expect(inspect(secret, { depth: 9, showHidden: true }) + JSON.stringify({ secret })).not.toContain('s3cret');
  });
});
