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

export type GateInput = 'set' | 'remove' | 'wait';

/**
 * A barrier that is open at first. `set` and `remove` come to whether they have changed it; where an answer was lost they
 * may say so of what another one has done. `wait` comes to an end while it is open.
 */
export const gate: Specification<boolean, GateInput, boolean> = {
  initial: true,
  step(isOpen, input, output) {
    if (input === 'wait') return isOpen ? isOpen : undefined;
    const changes = isOpen === (input === 'set');
    return output === false && changes ? undefined : input === 'remove';
  },
};
