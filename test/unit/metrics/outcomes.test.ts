import { expect, it } from '@jest/globals';
import { ServerFailure, TooLargeFailure, UnansweredFailure } from '../../../src/errors.js';
import { codeOf } from '../../../src/metrics/outcomes.js';

it.each([
  [new ServerFailure(-101), 'NO_NODE'],
  [new ServerFailure(-103), 'BAD_VERSION'],
  [new ServerFailure(-999), 'UNKNOWN_SERVER_ERROR'],
  [new UnansweredFailure('connectionLoss', 'gone', true), 'CONNECTION_LOSS'],
  [new UnansweredFailure('timeout', 'late', false), 'OPERATION_TIMEOUT'],
  [new UnansweredFailure('aborted', 'no', false), 'ABORTED'],
  [new TooLargeFailure(2, 1), 'REQUEST_TOO_LARGE'],
])('is the code of the error that users get: %#', (failure, code) => {
  expect([codeOf(failure), codeOf(failure)]).toEqual([code, code]);
  expect(failure.toError({}).code).toBe(code);
});
