/** The type of what stands at a place, its keys joined by dots; unknown where the type does not tell. */
export type ValueAt<T, Path extends string> = Path extends ''
  ? T
  : Path extends `${infer Key}.${infer Rest}`
    ? ValueAt<Member<T, Key>, Rest>
    : Member<T, Path>;

/** What a key leads to; undefined where a part on the way may be missing. */
type Member<T, Key extends string> = unknown extends T
  ? unknown
  : T extends null | undefined
    ? undefined
    : T extends readonly (infer Item)[]
      ? Key extends `${number}`
        ? Item | undefined
        : unknown
      : Key extends keyof T
        ? T[Key]
        : unknown;

/** A type that nothing is inferred for. */
export type Fixed<T> = [T][T extends unknown ? 0 : never];
