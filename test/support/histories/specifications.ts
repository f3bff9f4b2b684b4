import type { Specification } from './linearizable.js';

export type CounterInput = { readonly kind: 'add'; readonly by: bigint } | { readonly kind: 'get' };

/** A counter that begins with 0. Each call comes to the value after it. */
export const counter: Specification<bigint, CounterInput, bigint> = {
  initial: 0n,
  step(state, input, output) {
    const after = input.kind === 'add' ? state + input.by : state;
    return output === undefined || output === after ? after : undefined;
  },
};
