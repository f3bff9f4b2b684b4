import Long from 'long';

/** What JSON can hold. Whole numbers that a `number` cannot hold exactly, such as session ids, are `Long`. */
export type AdminJson =
  string | number | boolean | null | Long | readonly AdminJson[] | { readonly [name: string]: AdminJson };

/** A string, or a whole number of 16 digits and more. */
const stringOrLong = /"(?:[^"\\]|\\.)*"|-?\d{16,19}(?![\d.eE])/g;
/** Stands before the digits of a whole number that became a string. JSON has no such character in its strings. */
const MARK = '\u0001';

/** `JSON.parse` that keeps 64-bit integers: `JSON.parse` itself would round a session id. Throws `SyntaxError`. */
export function parseJson(text: string): AdminJson {
  const marked = text.replace(stringOrLong, (token) => (token.startsWith('"') ? token : `"\\u0001${token}"`));
  return JSON.parse(marked, (_, value: AdminJson) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const long = Long.fromString(value.slice(1));
    return Number.isSafeInteger(long.toNumber()) ? long.toNumber() : long;
  }) as AdminJson;
}
