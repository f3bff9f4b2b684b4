import { FormatError } from './properties.js';

/** The assignments of a shell, as .env files have them. */

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** `export` and white space before, white space around the sign. */
const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/;

/**
 * The variables of a text of `KEY=value` lines, in their order; of a key that stands twice the last one counts. Nothing
 * is expanded.
 *
 * - `'...'`: as it is, over several lines where it has them.
 * - `"..."`: the same, with \n, \r, \t, and a backslash before any other character for that character.
 * - Without quotes: up to the end of the line or to ` #`, without the white space around it.
 *
 * @throws FormatError at a line that is neither an assignment nor a comment nor empty, and where a quote is not closed.
 */
export function parseEnv(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let rest = text.replaceAll('\r\n', '\n');
  for (let line = 1; rest !== '';) {
    const [skipped = ''] = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(rest) ?? [];
    let taken = skipped.length;
    if (taken === 0) {
      const entry = readAssignment(rest, line);
      found.set(entry.key, entry.value);
      taken = entry.taken;
    }
    line += lineEndsIn(rest.slice(0, taken));
    rest = rest.slice(taken);
  }
  return found;
}

/** An assignment, and how much of the text it takes. */
interface Assignment {
  readonly key: string;
  readonly value: string;
  readonly taken: number;
}

function readAssignment(rest: string, line: number): Assignment {
  const [head, key = ''] = assignment.exec(rest) ?? [];
  if (head === undefined) throw new FormatError('there is no KEY=value', line);
  const body = rest.slice(head.length);
  const quote = body.startsWith('"') || body.startsWith("'") ? body.charAt(0) : undefined;
  if (quote === undefined) {
    const [plain = ''] = /^[^\n]*/.exec(body) ?? [];
    return { key, value: plain.replace(/(?:^|[ \t])#.*$/, '').trim(), taken: head.length + plain.length };
  }
  const quoted = (quote === '"' ? /^"((?:\\[^]|[^"\\])*)"/ : /^'([^']*)'/).exec(body);
  if (quoted === null) throw new FormatError(`the quote ${quote} is not closed`, line);
  const [whole, inner = ''] = quoted;
  const [tail = ''] = /^[^\n]*/.exec(body.slice(whole.length)) ?? [];
  if (!/^[ \t]*(?:#.*)?$/.test(tail)) throw new FormatError('there is something behind the closing quote', line);
  const value = quote === '"' ? inner.replace(/\\([^])/g, (_, escaped: string) => escapes[escaped] ?? escaped) : inner;
  return { key, value, taken: head.length + whole.length + tail.length };
}

function lineEndsIn(text: string): number {
  return text.split('\n').length - 1;
}
