import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, SchemaViolationError } from 'zookit';
import { type PathRule, PathSchema } from '../../src/path-schema.js';

const context = { operation: 'create', path: '/x' };
const plain = { isEphemeral: false, isSequential: false, data: null };

/** Whether a create there is allowed by rules that allow none where they match. */
function matches(path: string | RegExp, created: string): boolean {
  const schema = new PathSchema([{ path, creatable: false }]);
  try {
    schema.checkCreate(created, plain, context);
    return false;
  } catch (error) {
    if (error instanceof SchemaViolationError) return true;
    throw error;
  }
}

it.each<[path: string | RegExp, matching: string[], others: string[]]>([
  ['/a', ['/a'], ['/a/b', '/ab', '/', '/b/a']],
  ['/a/*', ['/a/b', '/a/lock-1'], ['/a', '/a/b/c']],
  ['/a/lock-*', ['/a/lock-', '/a/lock-1'], ['/a/lock-1/x', '/a/block-1']],
  ['/*/b', ['/a/b', '/x.y/b'], ['/a/c/b', '/b']],
  ['/a/**', ['/a/b', '/a/b/c'], ['/a', '/ab/c']],
  ['/**', ['/a', '/a/b'], ['/']],
  ['/a.b(c)', ['/a.b(c)'], ['/aXb(c)']],
  [/^\/x/g, ['/x', '/xy', '/x/z'], ['/a/x']],
])('%s', (path, matching, others) => {
  for (const each of matching) expect([each, matches(path, each), matches(path, each)]).toEqual([each, true, true]);
  for (const each of others) expect([each, matches(path, each)]).toEqual([each, false]);
});

describe('a rule', () => {
  const refusal = (rule: Omit<PathRule, 'path'>, check: (schema: PathSchema) => void): string => {
    try {
      check(
        new PathSchema([
          { path: '/a', ...rule },
          { path: '/**', creatable: false, deletable: false },
        ]),
      );
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaViolationError);
      expect(error).toMatchObject({
        code: 'SCHEMA_VIOLATION',
        operation: 'create',
        path: '/x',
        rule: rule.name ?? '/a',
      });
      return (error as Error).message;
    }
  };
  const create = (isEphemeral: boolean, isSequential: boolean, data: string | Uint8Array | null = null) => {
    return (schema: PathSchema): void => schema.checkCreate('/a', { isEphemeral, isSequential, data }, context);
  };

  it('says of which kind znodes are', () => {
    expect(refusal({ ephemeral: 'must' }, create(false, false))).toContain('the znode must be ephemeral');
    expect(refusal({ ephemeral: 'must' }, create(true, false))).toBe('');
    expect(refusal({ ephemeral: 'never', name: 'lasting' }, create(true, false))).toBe(
      'create /x: the rule lasting of the schema forbids it: the znode must not be ephemeral',
    );
    expect(refusal({ sequential: 'must' }, create(true, false))).toContain('the znode must be sequential');
    expect(refusal({ sequential: 'never' }, create(true, true))).toContain('the znode must not be sequential');
    expect(refusal({ sequential: 'may', ephemeral: 'may' }, create(true, true))).toBe('');
  });

  it('checks data, whatever their form', () => {
    const seen: string[] = [];
    const checkData = (data: Buffer, path: string): string | undefined => {
      seen.push(`${path} ${data.toString()}`);
      return data.length === 0 ? 'they are empty' : undefined;
    };
    expect(refusal({ checkData }, create(false, false))).toContain('the data are wrong: they are empty');
    expect(refusal({ checkData }, create(false, false, 'text'))).toBe('');
    expect(
      refusal({ checkData }, (schema) => schema.checkSetData('/a', Buffer.from('bytes').subarray(1), context)),
    ).toBe('');
    expect(seen).toEqual(['/a ', '/a text', '/a ytes']);
  });

  it('forbids deletes and watches, and nothing unless it says so', () => {
    const remove = (schema: PathSchema): void => schema.checkDelete('/a', context);
    const watch = (schema: PathSchema): void => schema.checkWatch('/a', context);
    expect(refusal({ deletable: false }, remove)).toContain('it is not to be deleted');
    expect(refusal({ watchable: false }, watch)).toContain('it is not to be watched');
    for (const check of [remove, watch, create(true, true, 'x')]) expect(refusal({}, check)).toBe('');
  });
});

it('leaves free what no rule matches', () => {
  const schema = new PathSchema([{ path: '/a', creatable: false, deletable: false, watchable: false }]);
  schema.checkCreate('/b', plain, context);
  schema.checkSetData('/b', 'x', context);
  schema.checkDelete('/b', context);
  schema.checkWatch('/b', context);
});

it.each<[rules: unknown, problem: string]>([
  ['/a', 'the option schema must be a list of rules'],
  [[null], 'rule 0 of the option schema must be an object'],
  [
    [{ path: '/a' }, { path: 'a' }],
    'rule 1 of the option schema: path must be an absolute path or a regular expression',
  ],
  [
    [{ path: '/a', deleteable: false }],
    'rule 0 of the option schema has no "deleteable"; known are creatable, deletable',
  ],
  [[{ path: '/a', deletable: 1 }], 'deletable is 1; it must be true or false'],
  [[{ path: '/a', ephemeral: true }], 'ephemeral is true; it must be "must", "may" or "never"'],
  [[{ path: '/a', checkData: {} }], 'checkData must be a function'],
])('refuses %j', (rules, problem) => {
  expect(() => new PathSchema(rules as PathRule[])).toThrow(InvalidArgumentError);
  expect(() => new PathSchema(rules as PathRule[])).toThrow(problem);
});
