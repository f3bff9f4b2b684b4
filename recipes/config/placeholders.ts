import { isPlainObject } from './encryption.js';
import { keysOfPath, setOwn, valueAt } from './plain-values.js';

/** Where `${env:NAME}` looks; false: nowhere, and such placeholders are refused. */
export type PlaceholderEnvironment = Readonly<Record<string, string | undefined>> | false;

/** A placeholder stands for nothing, or for itself, or is not closed. */
export class PlaceholderError extends Error {
  constructor(
    message: string,
    readonly keys: readonly string[],
    readonly reason: 'placeholder' | 'tooDeep' = 'placeholder',
  ) {
    super(message);
  }
}

/** A value in which nothing is left to be replaced. */
interface Resolved {
  readonly value: unknown;
  /** How much there is of it: characters, keys and items. */
  readonly size: number;
}

/** What placeholders may make of a value: a few lines can be made to stand for more than fits into memory. */
const MOST_SIZE = 10_000_000;

/** How many values may refer to each other in a row. */
const MOST_STEPS = 500;

const ENV = 'env:';

/**
 * The value with its placeholders replaced, in texts that are not keys:
 *
 * - `${a.b}`: what stands there; alone in its text, with its type, else as text.
 * - `${a.b:default}`: the default, which may have placeholders itself, where nothing stands there.
 * - `${env:NAME}`, `${env:NAME:default}`: the variable of the environment.
 * - `$${`: `${` itself.
 *
 * @throws PlaceholderError.
 */
export function resolvePlaceholders(value: unknown, environment: PlaceholderEnvironment): unknown {
  return new Resolver(value, environment).at([]).value;
}

class Resolver {
  readonly #known = new Map<string, Resolved>();
  /** What is being resolved, outermost first: to refer to one of them would never end. */
  readonly #underWay = new Set<string>();
  #steps = 0;

  constructor(
    private readonly root: unknown,
    private readonly environment: PlaceholderEnvironment,
  ) {}

  /** What stands at a place. */
  at(keys: readonly string[]): Resolved {
    // No two places come to the same text in JSON.
    const place = JSON.stringify(keys);
    const known = this.#known.get(place);
    if (known !== undefined) return known;
    if (this.#underWay.has(place)) throw this.#cycle(place, keys);
    if (++this.#steps > MOST_STEPS)
      throw new PlaceholderError(`more than ${MOST_STEPS} values refer to each other`, keys, 'tooDeep');
    this.#underWay.add(place);
    const resolved = this.#resolve(valueAt(this.root, keys), keys);
    this.#underWay.delete(place);
    this.#steps--;
    this.#known.set(place, resolved);
    return resolved;
  }

  #resolve(value: unknown, keys: readonly string[]): Resolved {
    if (typeof value === 'string') return this.#text(value, keys);
    if (!Array.isArray(value) && !isPlainObject(value)) return { value, size: 1 };
    const copy: object = Array.isArray(value) ? [] : {};
    let size = 1;
    for (const key of Object.keys(value)) {
      const item = this.at([...keys, key]);
      size = this.#grown(size, item.size, keys);
      setOwn(copy, key, item.value);
    }
    return { value: copy, size };
  }

  #text(text: string, keys: readonly string[]): Resolved {
    if (!text.includes('${')) return { value: text, size: text.length + 1 };
    let whole = '';
    for (let at = 0; at < text.length;) {
      const start = text.indexOf('${', at);
      if (start === -1) {
        whole += text.slice(at);
        break;
      }
      if (start > at && text.charAt(start - 1) === '$') {
        whole += `${text.slice(at, start - 1)}\${`;
        at = start + 2;
        continue;
      }
      const end = closingOf(text, start);
      if (end === -1) throw new PlaceholderError('a placeholder is not closed', keys);
      const found = this.#reference(text.slice(start + 2, end), keys);
      if (start === 0 && end === text.length - 1) return found;
      whole += text.slice(at, start) + asText(found.value, text.slice(start, end + 1), keys);
      this.#grown(whole.length, 0, keys);
      at = end + 1;
    }
    return { value: whole, size: whole.length + 1 };
  }

  #reference(body: string, keys: readonly string[]): Resolved {
    const isVariable = body.startsWith(ENV);
    const colon = body.indexOf(':', isVariable ? ENV.length : 0);
    const name = colon === -1 ? body : body.slice(0, colon);
    const found = isVariable ? this.#variable(name.slice(ENV.length), keys) : this.#value(name);
    if (found !== undefined) return found;
    if (colon !== -1) return this.#text(body.slice(colon + 1), keys);
    throw new PlaceholderError(`\${${name}} stands for nothing, and has no default`, keys);
  }

  #value(name: string): Resolved | undefined {
    const keys = keysOfPath(name);
    return valueAt(this.root, keys) === undefined ? undefined : this.at(keys);
  }

  #variable(name: string, keys: readonly string[]): Resolved | undefined {
    if (this.environment === false)
      throw new PlaceholderError(`\${${ENV}${name}} is not allowed: placeholders.env is false`, keys);
    const value = Object.hasOwn(this.environment, name) ? this.environment[name] : undefined;
    return value === undefined ? undefined : { value, size: value.length + 1 };
  }

  #grown(size: number, by: number, keys: readonly string[]): number {
    if (size + by <= MOST_SIZE) return size + by;
    throw new PlaceholderError(`placeholders make more than ${MOST_SIZE} characters of it`, keys, 'tooDeep');
  }

  #cycle(place: string, keys: readonly string[]): PlaceholderError {
    const places = [...this.#underWay, place];
    const names = places.slice(places.indexOf(place)).map((each) => (JSON.parse(each) as string[]).join('.'));
    return new PlaceholderError(`placeholders stand for themselves: ${names.join(' -> ')}`, keys);
  }
}

/** The end of the placeholder that begins at `start`; -1 if there is none. Placeholders may stand within it. */
function closingOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text.charAt(at) === '}' && --depth === 0) return at;
  }
  return -1;
}

function asText(value: unknown, placeholder: string, keys: readonly string[]): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' || value === null)
    return String(value);
  throw new PlaceholderError(`${placeholder} stands for no text, and cannot be a part of one`, keys);
}
