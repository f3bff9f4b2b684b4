import { describe, expect, it } from '@jest/globals';
import { type ConfigDecoder, decoderChoice, yamlDecoder } from '../../../../recipes/config/decoders.js';

const subject = { operation: 'test', path: '/c' };

async function decoded(
  format: Parameters<typeof decoderChoice>[0],
  name: string,
  data: string | Buffer,
): Promise<unknown> {
  const { decoder } = decoderChoice(format, subject)(name);
  return await decoder.decode(Buffer.from(data as string), `/${name}`);
}

describe('a format', () => {
  it.each([
    ['json', '{"a":[1,null]}', { a: [1, null] }],
    ['json', '\ufeff1', 1],
    ['text', ' ä ', ' ä '],
    ['text', '', ''],
    ['properties', 'a.b=1', { a: { b: '1' } }],
    ['env', 'A=1', { A: '1' }],
    ['yaml', 'a:\n  - 1\n  - {b: x}\n', { a: [1, { b: 'x' }] }],
    ['yaml', '', null],
  ] as const)('%s: %j', async (format, data, value) => {
    expect(await decoded(format, 'c', data)).toEqual(value);
  });

  it.each(['json', 'text', 'properties', 'env', 'yaml'] as const)('%s: refuses what is no UTF-8', async (format) => {
    await expect(decoded(format, 'c', Buffer.from([0x61, 0xff]))).rejects.toThrow('not valid for encoding utf-8');
  });

  it('is told by the extension with "auto" alone, which leaves it out of the key', async () => {
    const keys = [
      'a',
      'a.json',
      'a.yaml',
      'a.yml',
      'a.b.properties',
      'a.env',
      'a.txt',
      '.env',
      'a.conf',
      'constructor',
    ];
    expect(
      keys.map((name) => decoderChoice('auto', subject)(name)).map(({ decoder, key }) => [key, decoder.name]),
    ).toEqual([
      ['a', 'JSON'],
      ['a', 'JSON'],
      ['a', 'YAML'],
      ['a', 'YAML'],
      ['a.b', 'properties file'],
      ['a', 'file of variables'],
      ['a', 'text'],
      ['.env', 'JSON'],
      ['a.conf', 'JSON'],
      ['constructor', 'JSON'],
    ]);
    expect(decoderChoice('text', subject)('a.yaml')).toMatchObject({ key: 'a.yaml', decoder: { name: 'text' } });
  });

  it('of YAML cannot be made to fill the memory', async () => {
    const bomb = `a: &a [x,x]\n${Array.from({ length: 30 }, (_, index) => `b${index}: &b${index} [*${index === 0 ? 'a' : `b${index - 1}`},*${index === 0 ? 'a' : `b${index - 1}`}]`).join('\n')}`;
    await expect(decoded('yaml', 'c', bomb)).rejects.toThrow();
  });

  it('of YAML says what to install, and looks again the next time', async () => {
    let isInstalled = false;
    const decoder = yamlDecoder(() =>
      isInstalled ? Promise.resolve({ parse: () => 'parsed' }) : Promise.reject(new Error('Cannot find module')),
    );
    await expect(decoder.decode(Buffer.from('a'), '/c')).rejects.toThrow('npm install yaml');
    isInstalled = true;
    expect(await decoder.decode(Buffer.from('a'), '/c')).toBe('parsed');
  });
});

describe("a decoder of one's own", () => {
  it('is used for all names', async () => {
    const lines: ConfigDecoder = { name: 'lines', decode: (bytes, path) => [path, ...bytes.toString().split('\n')] };
    expect(await decoded(lines, 'a.json', 'x\ny')).toEqual(['/a.json', 'x', 'y']);
  });

  it.each([['toml'], ['__proto__'], [null], [{ name: 'x' }], [() => 1]])(
    'is refused where it is none: %p',
    (decoder) => {
      expect(() => decoderChoice(decoder as never, subject)).toThrow(
        /^test \/c: decoder is .*it must be one of "auto", "json"/,
      );
    },
  );
});
