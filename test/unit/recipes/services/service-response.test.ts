import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { followed } from '../../../../recipes/services/service-response.js';
import { until } from '../../../support/until.js';
import { instance } from './fake-providers.js';

/** A response with a body in chunks, and how it has ended. */
const origin = { instance: instance('a'), attempts: 1 };

function setUp(chunks: readonly string[], broken?: Error) {
  const ends: string[] = [];
  const state = { cancelled: false };
  const left = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (broken === undefined) controller.close();
      else controller.error(broken);
    },
    cancel: () => void (state.cancelled = true),
  });
  const original = new Response(source, {
    status: 201,
    headers: [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ],
  });
  return { ends, state, response: followed(original, origin, ({ type }) => void ends.push(type)) };
}

describe('a response that is followed', () => {
  it('is what it was', async () => {
    const { response, ends } = setUp(['{"a"', '', ':1}']);
    expect([response.status, response.instance.id, response.headers.getSetCookie()]).toEqual([
      201,
      'a',
      ['a=1', 'b=2'],
    ]);
    expect(ends).toEqual([]);
    expect(await response.json()).toEqual({ a: 1 });
    expect([response.bodyUsed, ends]).toEqual([true, ['read']]);
  });

  it('keeps its address, and does so in a clone', async () => {
    const original = Object.defineProperty(new Response('text'), 'url', { value: 'http://a:1/x' });
    const ends: string[] = [];
    const response = followed(original, origin, ({ type }) => void ends.push(type));
    const clone = response.clone();
    expect([response.url, clone.url, clone.instance, clone.redirected]).toEqual([
      'http://a:1/x',
      'http://a:1/x',
      response.instance,
      false,
    ]);
    expect([await response.text(), await clone.text(), ends]).toEqual(['text', 'text', ['read']]);
  });

  it('has ended where it has no body', () => {
    const ends: string[] = [];
    const response = followed(new Response(null, { status: 204 }), origin, ({ type }) => void ends.push(type));
    expect([response.body, ends]).toEqual([null, ['read']]);
  });

  it('ends when its body is cancelled', async () => {
    const { response, ends, state } = setUp(['a', 'b']);
    await response.body!.cancel();
    expect([ends, state.cancelled]).toEqual([['cancelled'], true]);
  });

  it('ends when its body breaks, which the reader is told', async () => {
    const { response, ends } = setUp(['a'], new RangeError('broken'));
    await expect(response.text()).rejects.toThrow('broken');
    expect(ends).toEqual(['broken']);
  });

  it('asks for no more than is read', async () => {
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new Uint8Array([pulled++])) },
      { highWaterMark: 0 },
    );
    const response = followed(new Response(source), origin, () => undefined);
    const reader = response.body!.getReader();
    await reader.read();
    expect(pulled).toBe(1);
    await reader.cancel();
  });

  it('does not take a part of a larger buffer away from its owner', async () => {
    const pool = new Uint8Array([1, 2, 3, 4]);
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(pool.subarray(1, 3));
        controller.close();
      },
    });
    const response = followed(new Response(source), origin, () => undefined);
    expect([[...new Uint8Array(await response.arrayBuffer())], pool.length]).toEqual([[2, 3], 4]);
  });

  it('ends when nobody has it any more', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const { ends, state } = (() => {
      const { ends: all, state: seen, response } = setUp(['a', 'b']);
      expect(response.status).toBe(201);
      return { ends: all, state: seen };
    })();
    await until(() => (gc(), ends.length > 0), { what: 'the end' });
    expect([ends, state.cancelled]).toEqual([['dropped'], true]);
  });
});
