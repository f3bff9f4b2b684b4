import { type ErrorContext, InvalidArgumentError, ZooKeeperError } from './errors.js';

/** Whether znodes of a path may be of a kind: they must, they may (the default), or they must not. */
export type Allowance = 'must' | 'may' | 'never';

/** What holds for the znodes of some paths. All is allowed that a rule does not forbid. */
export interface PathRule {
  /**
   * Whole paths, as the servers have them, with the chroot. In a text, `*` stands for one name or a part of one, and `**` at the
   * end for any path below. The path of a sequential create is matched without the number.
   */
  readonly path: string | RegExp;
  /** What it is called in errors. Default: the path. */
  readonly name?: string | undefined;
  /** Whether this client may create them. Default `true`. */
  readonly creatable?: boolean | undefined;
  readonly ephemeral?: Allowance | undefined;
  readonly sequential?: Allowance | undefined;
  /** Whether this client may delete them. Default `true`. */
  readonly deletable?: boolean | undefined;
  /** Whether this client may watch them. Default `true`. */
  readonly watchable?: boolean | undefined;
  /** Says what is wrong with data that are about to be written; `undefined` if nothing is. */
  readonly checkData?: ((data: Buffer, path: string) => string | undefined) | undefined;
}

/** An operation was not sent, because a rule of the option `schema` forbids it. */
export class SchemaViolationError extends ZooKeeperError {
  readonly code = 'SCHEMA_VIOLATION';

  constructor(
    problem: string,
    context: ErrorContext,
    /** The rule that forbids it: its name. */
    readonly rule: string,
  ) {
    super(`the rule ${rule} of the schema forbids it: ${problem}`, context);
  }
}

/** What a create is about to make. */
export interface PlannedZNode {
  readonly isEphemeral: boolean;
  readonly isSequential: boolean;
  readonly data: string | Uint8Array | null;
}

const allowances: readonly unknown[] = ['must', 'may', 'never', undefined] satisfies (Allowance | undefined)[];
const flags = ['creatable', 'deletable', 'watchable'] as const;
const known: readonly string[] = [...flags, 'path', 'name', 'ephemeral', 'sequential', 'checkData'];

/** The rules of a client. The first one that matches a path holds for it (Curator: SchemaSet). */
export class PathSchema {
  readonly #rules: readonly (PathRule & { readonly pattern: RegExp; readonly name: string })[];

  /** @throws InvalidArgumentError at what is no rule. */
  constructor(rules: readonly PathRule[]) {
    const isList: boolean = Array.isArray(rules);
    if (!isList) throw new InvalidArgumentError('the option schema must be a list of rules');
    this.#rules = rules.map((rule, index) => compile(rule, `rule ${index} of the option schema`));
  }

  checkCreate(path: string, { isEphemeral, isSequential, data }: PlannedZNode, context: ErrorContext): void {
    const rule = this.#ruleOf(path);
    if (rule === undefined) return;
    const { ephemeral, sequential } = rule;
    if (rule.creatable === false) throw new SchemaViolationError('no znode is to be created there', context, rule.name);
    const problem = misfit('ephemeral', ephemeral, isEphemeral) ?? misfit('sequential', sequential, isSequential);
    if (problem !== undefined) throw new SchemaViolationError(problem, context, rule.name);
    this.#checkData(rule, path, data, context);
  }

  checkSetData(path: string, data: string | Uint8Array | null, context: ErrorContext): void {
    const rule = this.#ruleOf(path);
    if (rule !== undefined) this.#checkData(rule, path, data, context);
  }

  checkDelete(path: string, context: ErrorContext): void {
    const rule = this.#ruleOf(path);
    if (rule?.deletable === false) throw new SchemaViolationError('it is not to be deleted', context, rule.name);
  }

  checkWatch(path: string, context: ErrorContext): void {
    const rule = this.#ruleOf(path);
    if (rule?.watchable === false) throw new SchemaViolationError('it is not to be watched', context, rule.name);
  }

  #ruleOf(path: string): (PathRule & { readonly name: string }) | undefined {
    return this.#rules.find(({ pattern }) => pattern.test(path));
  }

  #checkData(
    { checkData, name }: PathRule & { readonly name: string },
    path: string,
    data: string | Uint8Array | null,
    context: ErrorContext,
  ): void {
    const problem = checkData?.(bytesOf(data), path);
    if (problem !== undefined) throw new SchemaViolationError(`the data are wrong: ${problem}`, context, name);
  }
}

function misfit(kind: string, allowance: Allowance | undefined, is: boolean): string | undefined {
  if (allowance === 'must' && !is) return `the znode must be ${kind}`;
  return allowance === 'never' && is ? `the znode must not be ${kind}` : undefined;
}

function bytesOf(data: string | Uint8Array | null): Buffer {
  if (data === null) return Buffer.alloc(0);
  return typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function compile(rule: PathRule, what: string): PathRule & { readonly pattern: RegExp; readonly name: string } {
  if (typeof rule !== 'object' || rule === null) throw new InvalidArgumentError(`${what} must be an object`);
  const { path, name = String(path), checkData } = rule;
  const unknown = Object.keys(rule).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${what} has no ${JSON.stringify(unknown)}; known are ${known.join(', ')}`);
  if (!(path instanceof RegExp) && !(typeof path === 'string' && path.startsWith('/')))
    throw new InvalidArgumentError(`${what}: path must be an absolute path or a regular expression`);
  for (const flag of flags)
    if (rule[flag] !== undefined && typeof rule[flag] !== 'boolean')
      throw new InvalidArgumentError(`${what}: ${flag} is ${String(rule[flag])}; it must be true or false`);
  for (const kind of ['ephemeral', 'sequential'] as const)
    if (!allowances.includes(rule[kind]))
      throw new InvalidArgumentError(`${what}: ${kind} is ${String(rule[kind])}; it must be "must", "may" or "never"`);
  if (checkData !== undefined && typeof checkData !== 'function')
    throw new InvalidArgumentError(`${what}: checkData must be a function`);
  return { ...rule, name, pattern: typeof path === 'string' ? patternOf(path) : withoutState(path) };
}

/** `*` within a name, `**` at the end. */
function patternOf(path: string): RegExp {
  const below = path.endsWith('/**');
  const names = (below ? path.slice(0, -3) : path).split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${names.join('[^/]*')}${below ? '/.+' : ''}$`);
}

/** With `g` or `y` an expression would remember where it has stopped. */
function withoutState({ source, flags: given }: RegExp): RegExp {
  return new RegExp(source, given.replace(/[gy]/g, ''));
}
