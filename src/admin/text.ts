import Long from 'long';
import type { Latency, ServerMode } from './reports.js';

/** Reading what servers write as text. What is thrown here becomes an `UnexpectedAnswerError`. */

/** A text that lacks what it should have. */
export class UnreadableText extends Error {}

const modes: ReadonlySet<string> = new Set<ServerMode>(['standalone', 'leader', 'follower', 'observer', 'read-only']);

/** The mode of a server; `undefined` for a word that is not known. */
export function toMode(word: string | undefined): ServerMode | undefined {
  return word !== undefined && modes.has(word) ? (word as ServerMode) : undefined;
}

/** The lines of a text, without their ends; those that are empty are left out. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** What the pattern finds; throws where it finds nothing. */
export function need(pattern: RegExp, text: string, what: string): RegExpExecArray {
  const found = pattern.exec(text);
  if (found === null) throw new UnreadableText(`there is no ${what}`);
  return found;
}

/** The text behind `Label: ` at the beginning of a line. */
export function labelled(label: string, text: string): string {
  return need(new RegExp(`^${label}: *(.*?)\\r?$`, 'm'), text, `line ${JSON.stringify(label)}`)[1] ?? '';
}

/** A number; throws at anything else. */
export function toNumber(text: string | number | undefined, what: string): number {
  const number = typeof text === 'string' && text.trim() !== '' ? Number(text) : text;
  if (typeof number !== 'number' || Number.isNaN(number)) throw new UnreadableText(`${what} is no number`);
  return number;
}

/** A session id or zxid, `0x1a`; the server writes negative ones in the two's complement. */
export function toHexLong(text: string | undefined, what: string): Long {
  const [, digits] = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text ?? '') ?? [];
  if (digits === undefined) throw new UnreadableText(`${what} is no hexadecimal number of 64 bits`);
  return Long.fromString(digits, true, 16).toSigned();
}

/** `0/1.5/20`. */
export function toLatency(text: string): Latency {
  const [min, average, max] = text.split('/').map((part) => toNumber(part, 'a latency'));
  if (min === undefined || average === undefined || max === undefined) throw new UnreadableText('a latency is missing');
  return { min, average, max };
}

/** `key=value` or `key<TAB>value` lines; others are left out. */
export function pairsOf(text: string, separator: '=' | '\t'): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const line of linesOf(text)) {
    const at = line.indexOf(separator);
    if (at > 0) pairs.set(line.slice(0, at), line.slice(at + 1));
  }
  return pairs;
}

/**
 * Groups of a line that stands at the margin, and lines below it that are indented:
 * `/path`, `<TAB>0x1`, `<TAB>0x2`.
 */
export function groupsOf(text: string): { readonly head: string; readonly items: string[] }[] {
  const groups: { head: string; items: string[] }[] = [];
  for (const line of linesOf(text)) {
    if (!line.startsWith('\t')) groups.push({ head: line, items: [] });
    else groups.at(-1)?.items.push(line.slice(1));
  }
  return groups;
}
