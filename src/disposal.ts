/**
 * `await using` needs two symbols that Node 20 has from its fifth release on only. Where they are missing they are made,
 * in the way that TypeScript's documentation proposes, before any class uses them. Import this first.
 */
for (const name of ['dispose', 'asyncDispose'] as const) {
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
}
