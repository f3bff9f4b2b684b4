import { describe, expect, it } from '@jest/globals';
import * as errors from '../../src/errors.js';
import {
  ConnectError,
  type ErrorContext,
  FrameTooLargeError,
  InvalidPathError,
  isFailure,
  NoNodeError,
  ProtocolError,
  RequestTooLargeError,
  ServerError,
  serverError,
  ServerFailure,
  TooLargeFailure,
  UnansweredError,
  UnansweredFailure,
  UnknownServerError,
  ZooKeeperError,
} from '../../src/errors.js';

const context: ErrorContext = { operation: 'getData', path: '/a' };

/** Every code that servers of release 3.9 answer with, but for those that end the session: class and word. */
const serverCodes: readonly (readonly [number, string, string])[] = [
  [-2, 'RuntimeInconsistencyError', 'RUNTIME_INCONSISTENCY'],
  [-5, 'MarshallingError', 'MARSHALLING_ERROR'],
  [-6, 'UnimplementedError', 'UNIMPLEMENTED'],
  [-8, 'BadArgumentsError', 'BAD_ARGUMENTS'],
  [-13, 'NewConfigNoQuorumError', 'NEW_CONFIG_NO_QUORUM'],
  [-14, 'ReconfigInProgressError', 'RECONFIG_IN_PROGRESS'],
  [-101, 'NoNodeError', 'NO_NODE'],
  [-102, 'NoAuthError', 'NO_AUTH'],
  [-103, 'BadVersionError', 'BAD_VERSION'],
  [-108, 'NoChildrenForEphemeralsError', 'NO_CHILDREN_FOR_EPHEMERALS'],
  [-110, 'NodeExistsError', 'NODE_EXISTS'],
  [-111, 'NotEmptyError', 'NOT_EMPTY'],
  [-114, 'InvalidAclError', 'INVALID_ACL'],
  [-118, 'SessionMovedError', 'SESSION_MOVED'],
  [-119, 'NotReadOnlyError', 'NOT_READ_ONLY'],
  [-120, 'EphemeralOnLocalSessionError', 'EPHEMERAL_ON_LOCAL_SESSION'],
  [-121, 'NoWatcherError', 'NO_WATCHER'],
  [-123, 'ReconfigDisabledError', 'RECONFIG_DISABLED'],
  [-125, 'QuotaExceededError', 'QUOTA_EXCEEDED'],
  [-127, 'ThrottledError', 'THROTTLED'],
];

describe('the codes of a server', () => {
  it.each(serverCodes)('%d is a %s with the code %s', (serverCode, name, code) => {
    const error = serverError(serverCode, context);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toBeInstanceOf(Reflect.get(errors, name));
    expect(error).toMatchObject({ name, code, serverCode, operation: 'getData', path: '/a' });
    expect(error.message).toMatch(/^getData \/a: ./);
  });

  it('have a class each', () => {
    const classes = serverCodes.map(([serverCode]) => serverError(serverCode, context).constructor);
    expect(new Set(classes).size).toBe(serverCodes.length);
  });

  it('have a class even if nobody knows them: the number is kept', () => {
    const error = serverError(-9999, context);
    expect(error).toBeInstanceOf(UnknownServerError);
    expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', serverCode: -9999 });
    expect(error.message).toBe('getData /a: the server answered with the unknown code -9999');
  });

  it('can come with a hint', () => {
    expect(serverError(-101, context, ' (hint)').message).toBe('getData /a: there is no such znode (hint)');
  });
});

describe('every error', () => {
  it('is an Error of the name of its class', () => {
    const error = new NoNodeError('gone', context);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(ZooKeeperError);
    expect(String(error)).toBe('NoNodeError: getData /a: gone');
  });

  it('says in its message what it knows of the operation and the path', () => {
    expect(new NoNodeError('gone').message).toBe('gone');
    expect(new NoNodeError('gone', { path: '/a' }).message).toBe('/a: gone');
    expect(new NoNodeError('gone', { operation: 'sync' }).message).toBe('sync: gone');
  });

  it('has a cause if it was given one, and only then', () => {
    const cause = new Error('why');
    expect(new NoNodeError('gone', { cause }).cause).toBe(cause);
    expect('cause' in new NoNodeError('gone')).toBe(false);
  });

  it('has a code of its own, but for FrameTooLargeError, which is a ProtocolError', () => {
    const instances = Object.entries(errors).flatMap(([name, value]) => {
      const isConcrete =
        typeof value === 'function' &&
        value.prototype instanceof ZooKeeperError &&
        !['ServerError', 'UnansweredError', 'FrameTooLargeError'].includes(name);
      return isConcrete ? [Reflect.construct(value, ['x', [], 'z']) as ZooKeeperError] : [];
    });
    const codes = instances.map(({ code }) => code);
    expect(codes.length).toBeGreaterThan(30);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new FrameTooLargeError(2, 1, 3)).toBeInstanceOf(ProtocolError);
    for (const code of codes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });
});

describe('failures, which become errors where the caller waits', () => {
  it.each([
    ['connectionLoss', 'ConnectionLossError', 'CONNECTION_LOSS'],
    ['expired', 'SessionExpiredError', 'SESSION_EXPIRED'],
    ['authFailed', 'AuthFailedError', 'AUTH_FAILED'],
    ['timeout', 'OperationTimeoutError', 'OPERATION_TIMEOUT'],
    ['aborted', 'AbortedError', 'ABORTED'],
    ['closed', 'ClosedError', 'CLOSED'],
    ['queueFull', 'QueueFullError', 'QUEUE_FULL'],
    ['replyTooLarge', 'ReplyTooLargeError', 'REPLY_TOO_LARGE'],
  ] as const)('%s becomes a %s', (kind, name, code) => {
    const cause = new Error('why');
    const error = new UnansweredFailure(kind, 'it went wrong', true, cause).toError(context);
    expect(error).toBeInstanceOf(UnansweredError);
    expect(error).toMatchObject({ name, code, mayHaveBeenApplied: true, cause, operation: 'getData', path: '/a' });
    expect(error.message).toBe('getData /a: it went wrong');
  });

  it('keep the word that nothing was applied', () => {
    const error = new UnansweredFailure('connectionLoss', 'x', false).toError({});
    expect(error).toMatchObject({ mayHaveBeenApplied: false });
  });

  it('of a server become the error of its code, with the hint and the transaction', () => {
    const transaction = { index: 1, outcomes: ['rolledBack', 'failed'] } as const;
    const error = new ServerFailure(-103, ' (hint)', transaction).toError(context);
    expect(error).toMatchObject({ code: 'BAD_VERSION', transaction });
    expect(error.message).toMatch(/\(hint\)$/);
  });

  it('of a request that is too large become an error with both sizes', () => {
    const error = new TooLargeFailure(2000, 1024).toError(context);
    expect(error).toBeInstanceOf(RequestTooLargeError);
    expect(error).toMatchObject({ size: 2000, limit: 1024, code: 'REQUEST_TOO_LARGE' });
    expect(error.message).toBe('getData /a: the request has 2000 bytes, more than maxRequestBytes (1024) allows');
  });

  it('can be told from results', () => {
    expect(isFailure(new ServerFailure(-101))).toBe(true);
    expect([isFailure(undefined), isFailure(null), isFailure(new NoNodeError('x'))]).toEqual([false, false, false]);
  });

  it('lead by their stack to the place where the error is made', () => {
    function theCaller(): Error {
      return new ServerFailure(-101).toError({});
    }
    expect(theCaller().stack).toContain('theCaller');
  });
});

describe('errors with more to say', () => {
  it('InvalidPathError has the path', () => {
    const error = new InvalidPathError('a', 'it must start with "/"', 'create');
    expect(error).toMatchObject({ code: 'INVALID_PATH', path: 'a', operation: 'create' });
    expect(error.message).toBe('create a: not a path of a znode: it must start with "/"');
  });

  it('FrameTooLargeError has size, limit and xid', () => {
    const error = new FrameTooLargeError(2000, 1024, 7);
    expect(error).toMatchObject({ size: 2000, limit: 1024, xid: 7, name: 'FrameTooLargeError' });
    expect(error.message).toBe('a frame of 2000 bytes was announced, more than maxReplyBytes (1024) allows');
  });

  it('ConnectError tells what each server said', () => {
    const attempts = [
      { server: 'a:2181', reason: new Error('refused') },
      { server: 'b:2181', reason: new Error('silent') },
    ];
    const error = new ConnectError('no session within 5 ms', attempts, attempts[0]?.reason);
    expect(error.message).toBe('connect: no session within 5 ms (a:2181: refused; b:2181: silent)');
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', attempts, cause: attempts[0]?.reason });
    expect(new ConnectError('no session', []).message).toBe('connect: no session');
  });
});
