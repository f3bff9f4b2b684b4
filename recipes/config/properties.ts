/**
 * What java.util.Properties reads: keys and values, comments of # and !, lines that go on behind a backslash, escapes.
 */

/** A text that is not in its format. */
export class FormatError extends Error {
  constructor(
    problem: string,
    /** The line, from 1. */
    readonly line: number,
  ) {
    super(`line ${line}: ${problem}`);
  }
}

/** A line as it counts: several lines of the text where they end with a backslash. */
interface LogicalLine {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/**
 * The keys and values of a .properties file, in their order; of a key that stands twice the last one counts.
 *
 * @throws FormatError at a \u without four hexadecimal digits.
 */
export function parseProperties(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { text: logical, line } of logicalLines(text)) {
    const [key, value] = splitEntry(logical);
    found.set(unescape(key, line), unescape(value, line));
  }
  return found;
}

function* logicalLines(text: string): Generator<LogicalLine, undefined> {
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    const first = at;
    let logical = withoutIndent(lines[at] ?? '');
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue;
    while (goesOn(logical)) {
      logical = logical.slice(0, -1);
      if (at + 1 >= lines.length) break;
      logical += withoutIndent(lines[++at] ?? '');
    }
    yield { text: logical, line: first + 1 };
  }
}

function withoutIndent(line: string): string {
  return line.replace(/^[ \t\f]+/, '');
}

/** An odd number of backslashes at the end: the last one is not escaped itself. */
function goesOn(line: string): boolean {
  const [backslashes = ''] = /\\*$/.exec(line) ?? [];
  return backslashes.length % 2 === 1;
}

/** The key goes up to the first separator that is not escaped: one of = and :, with white space around it, or white space alone. */
function splitEntry(line: string): [key: string, value: string] {
  const [key = ''] = /^(?:\\.|[^\\=: \t\f])*/su.exec(line) ?? [];
  const [separator = ''] = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(key.length)) ?? [];
  return [key, line.slice(key.length + separator.length)];
}

function unescape(text: string, line: number): string {
  return text.replace(/\\(u[\da-fA-F]{4}|[^]|$)/g, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(parseInt(escaped.slice(1), 16));
    if (escaped === 'u') throw new FormatError('there are no four hexadecimal digits behind \\u', line);
    return escapes[escaped] ?? escaped;
  });
}
