import { InvalidArgumentError } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { parseEnv } from './env-file.js';
import { setOwn } from './plain-values.js';
import { parseProperties } from './properties.js';

/** What makes a value out of bytes. What it throws marks the version as not valid. */
export interface ConfigDecoder {
  /** What it reads, for the errors: `JSON`. */
  readonly name: string;
  /** The value that the bytes of the znode at `path` stand for. */
  decode(bytes: Buffer, path: string): unknown;
}

/** The formats that come with zookit; `auto`: by the extension of the znode's name, where it has none JSON. */
export type ConfigFormat = 'auto' | 'json' | 'yaml' | 'properties' | 'env' | 'text';

/** Loads the package of the caller that reads YAML. */
export type YamlLoader = () => Promise<{ readonly parse: (text: string) => unknown }>;

/** Says which decoder is for a znode, and what its name is without what stands for the decoder. */
export type DecoderChoice = (name: string) => { readonly decoder: ConfigDecoder; readonly key: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of bytes, without a byte order mark. @throws TypeError if they are no UTF-8. */
function textOf(bytes: Buffer): string {
  return utf8.decode(bytes);
}

const json: ConfigDecoder = { name: 'JSON', decode: (bytes) => JSON.parse(textOf(bytes)) as unknown };

const text: ConfigDecoder = { name: 'text', decode: textOf };

const properties: ConfigDecoder = {
  name: 'properties file',
  decode: (bytes) => nested(parseProperties(textOf(bytes))),
};

const env: ConfigDecoder = {
  name: 'file of variables',
  decode: (bytes) => {
    const value = {};
    for (const [key, item] of parseEnv(textOf(bytes))) setOwn(value, key, item);
    return value;
  },
};

/** `a.b=1` as `{ a: { b: '1' } }`. @throws Error where a key has a value and keys below it. */
export function nested(entries: ReadonlyMap<string, string>): object {
  const root = {};
  for (const [key, value] of entries) {
    const steps = key.split('.');
    const last = steps.pop() ?? '';
    let at: object = root;
    for (const step of steps) at = below(at, step, key);
    if (Object.hasOwn(at, last)) throw new Error(`${key} has a value, and so has a key below it`);
    setOwn(at, last, value);
  }
  return root;
}

function below(at: object, step: string, key: string): object {
  if (!Object.hasOwn(at, step)) setOwn(at, step, {});
  const next: unknown = (at as Record<string, unknown>)[step];
  if (typeof next !== 'object' || next === null) throw new Error(`${key} has a value, and so has a key above it`);
  return next;
}

const installYaml = 'YAML is read by the package "yaml", which is not there: npm install yaml';

/** A decoder of YAML 1.2 by the caller's own package, which is loaded at the first value. */
export function yamlDecoder(load: YamlLoader = () => import('yaml')): ConfigDecoder & { ready(): Promise<unknown> } {
  let loading: ReturnType<YamlLoader> | undefined;
  const ready = (): ReturnType<YamlLoader> => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      throw new Error(installYaml, { cause });
    });
    return loading;
  };
  return {
    name: 'YAML',
    decode: async (bytes) => {
      const content = textOf(bytes);
      return (await ready()).parse(content);
    },
    ready,
  };
}

const yaml = yamlDecoder();

const byFormat: Readonly<Record<Exclude<ConfigFormat, 'auto'>, ConfigDecoder>> = { json, yaml, properties, env, text };

const byExtension: Readonly<Record<string, ConfigDecoder>> = {
  ...{ '.json': json, '.yaml': yaml, '.yml': yaml },
  ...{ '.properties': properties, '.env': env, '.txt': text },
};

const byName: DecoderChoice = (name) => {
  const at = name.lastIndexOf('.');
  const extension = at <= 0 ? '' : name.slice(at);
  const decoder = Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined;
  return decoder === undefined ? { decoder: json, key: name } : { decoder, key: name.slice(0, at) };
};

/**
 * Which decoder is meant. Only `auto` looks at names.
 *
 * @throws InvalidArgumentError.
 */
export function decoderChoice(option: ConfigFormat | ConfigDecoder, subject: OptionSubject): DecoderChoice {
  if (option === 'auto') return byName;
  if (typeof option === 'string' && Object.hasOwn(byFormat, option)) {
    const decoder = byFormat[option];
    return (name) => ({ decoder, key: name });
  }
  const custom: unknown = option;
  if (isDecoder(custom)) return (name) => ({ decoder: custom, key: name });
  const known = ['auto', ...Object.keys(byFormat)].map((each) => `"${each}"`).join(', ');
  throw new InvalidArgumentError(
    `decoder is ${typeof custom === 'string' ? JSON.stringify(custom) : 'no decoder'}; ` +
      `it must be one of ${known}, or { name, decode }`,
    subject,
  );
}

/** Loads what a decoder needs. @throws InvalidArgumentError if it is not installed. */
export async function loadDecoder(option: ConfigFormat | ConfigDecoder, subject: OptionSubject): Promise<void> {
  if (option !== 'yaml') return;
  try {
    await yaml.ready();
  } catch (cause) {
    throw new InvalidArgumentError(installYaml, { ...subject, cause });
  }
}

function isDecoder(value: unknown): value is ConfigDecoder {
  if (typeof value !== 'object' || value === null) return false;
  const { name, decode } = value as { readonly name?: unknown; readonly decode?: unknown };
  return typeof name === 'string' && typeof decode === 'function';
}
