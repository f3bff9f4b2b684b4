import { expect, it } from '@jest/globals';
import * as errors from '../../src/errors.js';
import * as api from '../../src/index.js';

it('has every class of error that users can meet', () => {
  const classes = Object.entries(errors).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof Error,
  );
  expect(classes.length).toBeGreaterThan(35);
  for (const [name, errorClass] of classes) expect(Reflect.get(api, name)).toBe(errorClass);
});

it('has none of the machinery of sessions and connections', () => {
  const names = Object.keys(api).join(' ');
  expect(names).not.toMatch(/Failure|Jute|Channel|Connection\b|Registry|Succession|Delivery|resolveOptions/);
});
