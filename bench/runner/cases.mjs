// What is measured: works, windows, sizes, and against which servers. A subset of all that could be combined: one
// dimension changes at a time, from get of 100 bytes with 256 in flight.

const work = (name, window, bytes = 100, more = {}) => ({ work: name, window, bytes, ...more });

const standIn = {
  get: [
    ...[1, 16, 256, 4096].map((window) => work('get', window)),
    work('get', 256, 0),
    work('get', 16, 10_000),
    work('get', 4, 1_000_000),
  ],
  exists: [work('exists', 256)],
  set: [work('set', 256), work('set', 256, 0), work('set', 16, 10_000), work('set', 4, 1_000_000)],
  create: [work('create', 256)],
  children: [work('children', 1), work('children', 16)],
  multi: [work('multi', 1), work('multi', 256)],
  watch: [work('watch', 256)],
};

const real = {
  get: [...[1, 16, 256, 4096].map((window) => work('get', window)), work('get', 16, 10_000)],
  exists: [work('exists', 256)],
  set: [work('set', 1), work('set', 256)],
  create: [work('create', 256)],
  children: [work('children', 16)],
  multi: [work('multi', 16)],
  watch: [work('watch', 256)],
};

/** `times`: how many times as long as others they are measured, because they are slower. */
const recipes = {
  mutex: [1, 10, 100].map((contenders) => work('mutex', contenders, 0, { times: 3 })),
  registry: [work('list', 1, 0, { count: 100, times: 3 }), work('pick', 1, 0, { count: 100 })],
  fanout: [work('fanout', 1, 0, { count: 1_000, times: 5 })],
};

export const targets = { 'stand-in': standIn, standalone: { ...real, ...recipes }, ensemble: real };

/** Names for `--only`; growth and services are measured in ways of their own. */
export const parts = [...new Set(Object.values(targets).flatMap(Object.keys)), 'services', 'growth'];
