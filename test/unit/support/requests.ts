import { type Failure, isFailure } from '../../../src/errors.js';
import { ClientMetrics } from '../../../src/metrics/client-metrics.js';
import { OperationMeter } from '../../../src/metrics/operation-meter.js';
import type { Operation } from '../../../src/operations/operation.js';
import { getData, setData } from '../../../src/operations/index.js';
import { Delivery } from '../../../src/session/delivery.js';
import {
  type Arming,
  type PendingRequest,
  type RequestLimits,
  TypedRequest,
} from '../../../src/session/pending-request.js';

/** A request, and what its caller was told. */
export interface Asked {
  readonly request: PendingRequest & { limit(limits: RequestLimits): void };
  /** The results and failures that the caller got: one at most, if all is well. */
  readonly outcomes: unknown[];
}

/** Makes a request whose outcome is gathered. */
export function ask<Request, Result>(
  operation: Operation<Request, Result>,
  content: Request,
  {
    bytes = 1,
    delivery = new Delivery(),
    arming,
    meter = new OperationMeter(new ClientMetrics(0)),
  }: { bytes?: number; delivery?: Delivery; arming?: Arming; meter?: OperationMeter } = {},
): Asked {
  const outcomes: unknown[] = [];
  const settle = (outcome: Result | Failure): void => void outcomes.push(outcome);
  return { request: new TypedRequest(operation, content, bytes, delivery, settle, arming, meter), outcomes };
}

/** A read of `/a`. */
export function askRead(options: Parameters<typeof ask>[2] = {}): Asked {
  return ask(getData, { path: '/a', watch: false }, options);
}

/** A write to `/a`. */
export function askWrite(options: Parameters<typeof ask>[2] = {}): Asked {
  return ask(setData, { path: '/a', data: 'x', version: -1 }, options);
}

/** The codes of the errors that the failures among these stand for; anything else as it is. */
export function codesOf(outcomes: readonly unknown[]): unknown[] {
  return outcomes.map((outcome) => (isFailure(outcome) ? outcome.toError({}).code : outcome));
}
