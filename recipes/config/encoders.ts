import { InvalidArgumentError, nameOf } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { type ConfigDecoder, type ConfigFormat, decoderChoice, loadDecoder } from './decoders.js';
import { isPlainObject } from './encryption.js';

/** Reads and writes the values of a configuration. */
export interface ConfigCodec extends ConfigDecoder {
  /** The bytes, or the text, that {@link decode} makes the value of again. What it throws refuses the update. */
  encode(value: unknown, path: string): Uint8Array | string | Promise<Uint8Array | string>;
}

/** How values are laid out, where the format leaves it open. */
export interface EncodingStyle {
  /** Spaces for each level of JSON and YAML; 0: JSON in one line. */
  readonly indent: number;
}

/** The most spaces that JSON takes for a level. */
const MOST_INDENT = 10;

/** The codec for the znode at a path. @throws InvalidArgumentError if what was given cannot write. */
export function codecFor(
  format: ConfigFormat | ConfigCodec,
  path: string,
  style: EncodingStyle,
  subject: OptionSubject,
): ConfigCodec {
  const { decoder } = decoderChoice(format, subject)(nameOf(path));
  if (isCodec(decoder)) return decoder;
  const encode = encoders[decoder.name];
  if (encode === undefined || typeof format === 'object')
    throw new InvalidArgumentError(`format ${decoder.name} has no function encode: it can only be read`, subject);
  return {
    name: decoder.name,
    decode: (bytes, at) => decoder.decode(bytes, at),
    encode: (value) => encode(value, style),
  };
}

/** Refuses what is no indent. */
export function checkIndent(indent: number, subject: OptionSubject): void {
  if (Number.isInteger(indent) && indent >= 0 && indent <= MOST_INDENT) return;
  throw new InvalidArgumentError(
    `indent is ${String(indent)}; it must be a whole number of spaces, from 0 to ${MOST_INDENT}`,
    subject,
  );
}

/** Of the formats that come with zookit, by the names of their decoders. */
const encoders: Readonly<Record<string, (value: unknown, style: EncodingStyle) => string | Promise<string>>> = {
  JSON: encodeJson,
  YAML: encodeYaml,
  'properties file': (value) => encodeProperties(value),
  'file of variables': (value) => encodeEnv(value),
  text: (value) => {
    if (typeof value === 'string') return value;
    throw new TypeError('the value is no text');
  },
};

function encodeJson(value: unknown, { indent }: EncodingStyle): string {
  const text = JSON.stringify(value, undefined, indent) as string | undefined;
  if (text === undefined) throw new TypeError('the value is nothing that JSON can hold');
  return indent === 0 ? text : `${text}\n`;
}

async function encodeYaml(value: unknown, { indent }: EncodingStyle): Promise<string> {
  await loadDecoder('yaml', { operation: 'encode', path: '' });
  const { stringify } = await import('yaml');
  return stringify(value, { indent: Math.max(1, indent) });
}

/** What java.util.Properties reads, in ASCII; keys within objects are joined by dots. */
export function encodeProperties(value: unknown): string {
  const lines = flat(value, []).map(([keys, text]) => `${escapeKey(keys.join('.'))}=${escapeValue(text)}\n`);
  return lines.join('');
}

/** A line for each variable; what is not plain stands in quotes. */
export function encodeEnv(value: unknown): string {
  const lines = flat(value, []).map(([keys, text]) => {
    const [key = '', ...below] = keys;
    if (below.length > 0) throw new TypeError(`${key} is an object: a variable holds a text`);
    if (!/^[A-Za-z_][\w.-]*$/.test(key)) throw new TypeError(`${JSON.stringify(key)} is no name of a variable`);
    return `${key}=${quoted(text)}\n`;
  });
  return lines.join('');
}

function flat(value: unknown, keys: readonly string[]): [keys: readonly string[], text: string][] {
  if (isPlainObject(value)) {
    return Object.entries(value).flatMap(([key, item]) => {
      if (item === undefined) return [];
      if (key === '' || key.includes('.')) throw new TypeError(`${JSON.stringify(key)} can be no key: dots join keys`);
      return flat(item, [...keys, key]);
    });
  }
  const place = keys.length === 0 ? 'the value' : keys.join('.');
  if (keys.length === 0) throw new TypeError(`${place} is no object`);
  if (typeof value === 'string') return [[keys, value]];
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return [[keys, String(value)]];
  throw new TypeError(`${place} is neither a text nor a number nor true or false`);
}

function escapeKey(key: string): string {
  return escapeControls(key.replace(/[\\#!=: ]/g, '\\$&'));
}

const controls: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' };

function escapeValue(text: string): string {
  return escapeControls(text.replace(/[\\#!]|^ /g, '\\$&'));
}

function escapeControls(text: string): string {
  return text
    .replace(/[\t\n\r\f]/g, (control) => controls[control] ?? control)
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const plainText = /^[\w./:@%+,-]+$/;
const shellSigns = /["\\$`]/g;

function quoted(text: string): string {
  if (plainText.test(text)) return text;
  const escaped = text.replace(shellSigns, '\\$&').replace(/[\t\n\r]/g, (control) => controls[control] ?? control);
  return `"${escaped}"`;
}

function isCodec(decoder: ConfigDecoder): decoder is ConfigCodec {
  return typeof (decoder as Partial<ConfigCodec>).encode === 'function';
}
