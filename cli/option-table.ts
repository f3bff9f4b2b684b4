import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.js';

/** An option of a command: a flag with a value, or a variable of the environment; the flag goes first. */
export interface OptionSpec {
  readonly env: string;
  /** What its value is, for the help: `PATH`, `MS`, `true|false`. */
  readonly value: string;
  readonly help: string;
  readonly default?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What was given, or else the defaults; undefined where there is none. An empty variable counts as none. */
export type OptionValues<Table extends OptionTable> = { readonly [Name in keyof Table]: string | undefined };

/** Reads the arguments and the environment of a command. `help`: whether they ask for help. @throws UsageError. */
export function readOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly values: OptionValues<Table>; readonly help: boolean } {
  const flags = Object.fromEntries(Object.keys(table).map((name) => [name, { type: 'string' as const }]));
  const { help, ...given } = parse(args, { ...flags, help: { type: 'boolean', short: 'h' } });
  const values = Object.entries(table).map(([name, spec]) => {
    const flag = given[name];
    const value = typeof flag === 'string' ? flag : environment[spec.env];
    return [name, value === '' || value === undefined ? spec.default : value];
  });
  return { values: Object.fromEntries(values) as OptionValues<Table>, help: help === true };
}

function parse(
  args: readonly string[],
  options: Record<string, { type: 'string' | 'boolean'; short?: string }>,
): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The lines of the help that tell of the options. */
export function describeOptions(table: OptionTable): string {
  const lines = Object.entries(table).map(([name, { env, value, help, default: standard }]) => {
    const suffix = standard === undefined ? '' : ` Default: ${standard}.`;
    return `  --${name} ${value}\n      ${help}${suffix} Or ${env}.`;
  });
  return lines.join('\n');
}

/** @throws UsageError. */
export function flagIn(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UsageError(`--${name} is ${JSON.stringify(text)}; it must be true or false`);
}

/** @throws UsageError. */
export function millisecondsIn(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`--${name} is ${JSON.stringify(text)}; it must be a whole number of milliseconds`);
}

/** @throws UsageError. */
export function choiceIn<const Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} is ${JSON.stringify(text)}; it must be one of ${choices.join(', ')}`);
}
