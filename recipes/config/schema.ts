/** What validates and types a value: the interface of Standard Schema, which zod, valibot, arktype and others have. */
export interface ConfigSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

/** One thing that is wrong with a value. */
export interface ConfigIssue {
  readonly message: string;
  /** The keys that lead to it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema says of a value. */
export type SchemaResult<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly ConfigIssue[] };

/** The keys that lead to what an issue is about. */
export function keysOf({ path = [] }: ConfigIssue): string[] {
  return path.map((step) => String(typeof step === 'object' ? step.key : step));
}

/** An issue in words. */
export function describeIssue(issue: ConfigIssue): string {
  const keys = keysOf(issue);
  return keys.length === 0 ? issue.message : `${keys.join('.')}: ${issue.message}`;
}

/** What ajv says of a value. */
export interface AjvIssue {
  /** A JSON pointer to what it is about. */
  readonly instancePath: string;
  readonly message?: string | undefined;
}

/** What `ajv.compile()` makes of a JSON Schema. */
export interface AjvValidate<T> {
  (value: unknown): value is T;
  readonly errors?: readonly AjvIssue[] | null | undefined;
}

/**
 * A schema out of a function that ajv has compiled. What ajv changes by `useDefaults`, `coerceTypes` or
 * `removeAdditional` counts: it is given a copy.
 */
export function ajvSchema<T>(validate: AjvValidate<T>): ConfigSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'ajv',
      validate: (value) => {
        if (validate(value)) return { value };
        // The next call writes others to the same place.
        const issues = (validate.errors ?? []).map(({ instancePath, message = 'is not valid' }) => ({
          message,
          path: instancePath.split('/').slice(1).map(unescapePointer),
        }));
        return { issues };
      },
    },
  };
}

/** RFC 6901. */
function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}
