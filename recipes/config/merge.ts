import { isPlainObject } from './encryption.js';

/**
 * What layers come to together, the later ones over the earlier ones (RFC 7396, JSON Merge Patch): objects key by key;
 * arrays and everything else as a whole; null takes away what earlier layers say, and leaves nothing. They must be
 * without a key `__proto__`.
 */
export function mergeLayers(layers: readonly unknown[]): unknown {
  return layers.reduce((merged, layer) => mergeOver(merged, layer), undefined);
}

function mergeOver(below: unknown, layer: unknown): unknown {
  if (!isPlainObject(layer)) return layer;
  const merged: Record<string, unknown> = isPlainObject(below) ? { ...below } : {};
  for (const [key, value] of Object.entries(layer)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergeOver(Object.hasOwn(merged, key) ? merged[key] : undefined, value);
  }
  return merged;
}
