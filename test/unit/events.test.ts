import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { callUser, emitIsolated, type SessionEvent } from '../../src/events.js';
import { uncaughtDuring } from './support/uncaught.js';

const lost: SessionEvent = { type: 'lost', sessionId: Long.ONE };

describe('user code that throws', () => {
  it('does not disturb its caller, and is reported as uncaught on a turn of its own', async () => {
    const error = new Error('of the user');
    let returned = false;
    const reported = await uncaughtDuring(() => {
      callUser(() => {
        throw error;
      });
      returned = true;
    });
    expect(returned).toBe(true);
    expect(reported).toEqual([error]);
  });
});

describe('an event', () => {
  it('is told by its own name, then under "session"', () => {
    const emitter = new EventEmitter();
    const calls: string[] = [];
    emitter.on('session', (event: SessionEvent) => calls.push(`session ${event.type}`));
    emitter.on('lost', (event: SessionEvent) => calls.push(event.type));
    emitter.on('expired', () => calls.push('expired'));
    emitIsolated(emitter, lost);
    expect(calls).toEqual(['lost', 'session lost']);
  });

  it('reaches all listeners, also when one of them throws', async () => {
    const emitter = new EventEmitter();
    const error = new Error('of a listener');
    const listener = jest.fn();
    emitter.on('lost', () => {
      throw error;
    });
    emitter.on('lost', listener);
    emitter.on('session', listener);
    const reported = await uncaughtDuring(() => emitIsolated(emitter, lost));
    expect(listener).toHaveBeenCalledTimes(2);
    expect(reported).toEqual([error]);
  });

  it('reaches a listener of once() once', () => {
    const emitter = new EventEmitter();
    const listener = jest.fn();
    emitter.once('lost', listener);
    emitIsolated(emitter, lost);
    emitIsolated(emitter, lost);
    expect(listener.mock.calls).toEqual([[lost]]);
    expect(emitter.listenerCount('lost')).toBe(0);
  });

  it('that nobody listens to does nothing', () => {
    expect(() => emitIsolated(new EventEmitter(), lost)).not.toThrow();
  });
});
