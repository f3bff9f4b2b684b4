import { DockerEngineError } from './errors.js';

/** Reads fields of what an engine has answered. Each throws DockerEngineError that says what is wrong where. */

/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  return fail(where, 'an object', value);
}

/** An object that may be missing. */
export function partOf(fields: Fields, name: string, where: string): Fields {
  const value = fields[name];
  return value === undefined || value === null ? {} : fieldsOf(value, `${where}.${name}`);
}

export function textOf(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : fail(`${where}.${name}`, 'a text', value);
}

/** A text that may be missing; then it is empty. */
export function textOrNone(fields: Fields, name: string, where: string): string {
  return isNone(fields[name]) ? '' : textOf(fields, name, where);
}

/** A number that may be missing. */
export function numberOrNone(fields: Fields, name: string, where: string): number | undefined {
  const value = fields[name];
  if (isNone(value)) return undefined;
  return typeof value === 'number' ? value : fail(`${where}.${name}`, 'a number', value);
}

/** What is missing is false. */
export function flagOf(fields: Fields, name: string, where: string): boolean {
  const value = fields[name];
  if (isNone(value)) return false;
  return typeof value === 'boolean' ? value : fail(`${where}.${name}`, 'true or false', value);
}

/** A list that may be missing; then it is empty. */
export function listOf(fields: Fields, name: string, where: string): readonly unknown[] {
  const value = fields[name];
  if (isNone(value)) return [];
  return Array.isArray(value) ? value : fail(`${where}.${name}`, 'a list', value);
}

/** Labels and the like. */
export function textsOf(fields: Fields, name: string, where: string): Readonly<Record<string, string>> {
  const part = partOf(fields, name, where);
  return Object.fromEntries(Object.keys(part).map((key) => [key, textOf(part, key, `${where}.${name}`)]));
}

function isNone(value: unknown): boolean {
  return value === undefined || value === null;
}

function fail(where: string, expected: string, value: unknown): never {
  const shown = JSON.stringify(value) ?? 'nothing';
  throw new DockerEngineError(`the engine's answer has ${shown.slice(0, 80)} at ${where}, where ${expected} should be`);
}
