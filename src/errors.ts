import type { Permission } from './acl.js';

/** Where an error happened, for its message and its fields. */
export interface ErrorContext {
  /** The operation, by the name of the method that was called. */
  readonly operation?: string | undefined;
  /** The path as the caller wrote it, that is without the chroot. */
  readonly path?: string | undefined;
  /** What led to the error. */
  readonly cause?: unknown;
}

/** How one operation of a failed transaction ended. */
export type TransactionOutcome = 'rolledBack' | 'failed' | 'notTried';

/** Which operation made a transaction fail. Nothing of the transaction was applied. */
export interface FailedTransaction {
  /** Index of the operation that failed, from 0. */
  readonly index: number;
  /** What became of each operation, in their order. */
  readonly outcomes: readonly TransactionOutcome[];
}

/** The base of every error that zookit throws. Tell them apart by class or by `code`, never by message. */
export abstract class ZooKeeperError extends Error {
  /** A word that stays the same over releases: `NO_NODE`, `CONNECTION_LOSS`, ... */
  abstract readonly code: string;
  readonly operation: string | undefined;
  readonly path: string | undefined;
  /** Set when the error is that of one operation in a transaction. */
  transaction?: FailedTransaction;

  constructor(message: string, context: ErrorContext = {}) {
    const subject = [context.operation, context.path].filter((part) => part !== undefined).join(' ');
    super(
      subject === '' ? message : `${subject}: ${message}`,
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.name = new.target.name;
    this.operation = context.operation;
    this.path = context.path;
  }
}

// --- What a server answers -------------------------------------------------------------------------------------------

/** The server refused the request. It was not applied. */
export abstract class ServerError extends ZooKeeperError {
  /** The number on the wire, `-101` for example. */
  abstract readonly serverCode: number;
}

/** The server found the request of the transaction not worth trying, because an earlier one had failed. */
export class RuntimeInconsistencyError extends ServerError {
  readonly code = 'RUNTIME_INCONSISTENCY';
  readonly serverCode = -2;
}
/** The server could not read the request. */
export class MarshallingError extends ServerError {
  readonly code = 'MARSHALLING_ERROR';
  readonly serverCode = -5;
}
/** The server does not know the operation, or the feature is switched off there. */
export class UnimplementedError extends ServerError {
  readonly code = 'UNIMPLEMENTED';
  readonly serverCode = -6;
}
/** The server found an argument wrong: a path, flags, a TTL, the text of a reconfiguration. */
export class BadArgumentsError extends ServerError {
  readonly code = 'BAD_ARGUMENTS';
  readonly serverCode = -8;
}
/** No quorum of the wanted configuration is up to date. */
export class NewConfigNoQuorumError extends ServerError {
  readonly code = 'NEW_CONFIG_NO_QUORUM';
  readonly serverCode = -13;
}
/** Another reconfiguration is under way. */
export class ReconfigInProgressError extends ServerError {
  readonly code = 'RECONFIG_IN_PROGRESS';
  readonly serverCode = -14;
}
/** There is no such znode; for a create: its parent is missing. */
export class NoNodeError extends ServerError {
  readonly code = 'NO_NODE';
  readonly serverCode = -101;
}
/** The ACL does not allow it. The message names the permission that is missing, and the znode whose ACL it is. */
export class NoAuthError extends ServerError {
  readonly code = 'NO_AUTH';
  readonly serverCode = -102;
  /** The permission that the operation needs, where that is known. */
  readonly permission: Permission | undefined;
  /** The znode whose ACL has to grant it: for `create` and `delete` that is the parent. */
  readonly deniedBy: string | undefined;

  constructor(message: string, context: ErrorContext = {}) {
    const need = neededPermission(context);
    super(
      need === undefined ? message : `${message}: it needs the permission ${need.permission} on ${need.on}`,
      context,
    );
    this.permission = need?.permission;
    this.deniedBy = need?.deniedBy;
  }
}
/** The version given is not that of the znode (of its ACL, of the ensemble's configuration). */
export class BadVersionError extends ServerError {
  readonly code = 'BAD_VERSION';
  readonly serverCode = -103;
}
/** The parent is ephemeral; such znodes have no children. */
export class NoChildrenForEphemeralsError extends ServerError {
  readonly code = 'NO_CHILDREN_FOR_EPHEMERALS';
  readonly serverCode = -108;
}
/** There is a znode at this path already. */
export class NodeExistsError extends ServerError {
  readonly code = 'NODE_EXISTS';
  readonly serverCode = -110;
}
/** The znode to delete has children. */
export class NotEmptyError extends ServerError {
  readonly code = 'NOT_EMPTY';
  readonly serverCode = -111;
}
/** The ACL is empty, malformed, or speaks of an identity that the connection has not proved. */
export class InvalidAclError extends ServerError {
  readonly code = 'INVALID_ACL';
  readonly serverCode = -114;
}
/** The session has moved to another server. */
export class SessionMovedError extends ServerError {
  readonly code = 'SESSION_MOVED';
  readonly serverCode = -118;
}
/** The server is cut off from its quorum and takes no writes; in the state `readonly` none is sent. */
export class NotReadOnlyError extends ServerError {
  readonly code = 'NOT_READ_ONLY';
  readonly serverCode = -119;
}
/** A local session asked for an ephemeral znode, and the server does not upgrade it. */
export class EphemeralOnLocalSessionError extends ServerError {
  readonly code = 'EPHEMERAL_ON_LOCAL_SESSION';
  readonly serverCode = -120;
}
/** There is no such watch. */
export class NoWatcherError extends ServerError {
  readonly code = 'NO_WATCHER';
  readonly serverCode = -121;
}
/** Reconfiguration is switched off on the server (`reconfigEnabled`). */
export class ReconfigDisabledError extends ServerError {
  readonly code = 'RECONFIG_DISABLED';
  readonly serverCode = -123;
}
/** A quota of the znode or of a parent would be exceeded. */
export class QuotaExceededError extends ServerError {
  readonly code = 'QUOTA_EXCEEDED';
  readonly serverCode = -125;
}
/** The server is overloaded and has dropped the request; try again later. */
export class ThrottledError extends ServerError {
  readonly code = 'THROTTLED';
  readonly serverCode = -127;
}
/** The server answered with a code that this release of zookit does not know; `serverCode` has it. */
export class UnknownServerError extends ServerError {
  readonly code = 'UNKNOWN_SERVER_ERROR';
  constructor(
    message: string,
    context: ErrorContext,
    readonly serverCode: number,
  ) {
    super(message, context);
  }
}

// --- What the client says of a request that got no answer ------------------------------------------------------------

/** No answer came for the request. `mayHaveBeenApplied` tells whether the server may have carried it out. */
export abstract class UnansweredError extends ZooKeeperError {
  constructor(
    message: string,
    context: ErrorContext,
    /** `false`: the request never left this process, or it only reads. `true`: nobody can tell. */
    readonly mayHaveBeenApplied: boolean,
  ) {
    super(message, context);
  }
}

/** The connection went away before the answer came. The session may live on. */
export class ConnectionLossError extends UnansweredError {
  readonly code = 'CONNECTION_LOSS';
}
/** The session is over: the server said so. Its ephemeral znodes are gone. */
export class SessionExpiredError extends UnansweredError {
  readonly code = 'SESSION_EXPIRED';
}
/** The server refused the credentials, or demands some. The client is of no further use. */
export class AuthFailedError extends UnansweredError {
  readonly code = 'AUTH_FAILED';
}
/** The time given for the operation is over. */
export class OperationTimeoutError extends UnansweredError {
  readonly code = 'OPERATION_TIMEOUT';
}
/** The `AbortSignal` of the operation fired; `cause` is its reason. */
export class AbortedError extends UnansweredError {
  readonly code = 'ABORTED';
}
/** The client was closed. */
export class ClosedError extends UnansweredError {
  readonly code = 'CLOSED';
}
/** There is no connection, and no room for one more waiting operation (or none may wait). It was not sent. */
export class QueueFullError extends UnansweredError {
  readonly code = 'QUEUE_FULL';
}
/** The answer is larger than `maxReplyBytes`. The connection had to be given up; the request was carried out. */
export class ReplyTooLargeError extends UnansweredError {
  readonly code = 'REPLY_TOO_LARGE';
}

// --- What never reached a server ------------------------------------------------------------------------------------

/** A path that ZooKeeper does not take. */
export class InvalidPathError extends ZooKeeperError {
  readonly code = 'INVALID_PATH';
  constructor(path: string, problem: string, operation?: string) {
    super(`not a path of a znode: ${problem}`, { operation, path });
  }
}
/** An argument or an option is of the wrong type or out of range. */
export class InvalidArgumentError extends ZooKeeperError {
  readonly code = 'INVALID_ARGUMENT';
}
/** The request is larger than `maxRequestBytes`; a server would close the connection over it. */
export class RequestTooLargeError extends ZooKeeperError {
  readonly code = 'REQUEST_TOO_LARGE';
  constructor(
    context: ErrorContext,
    /** Length of the encoded request in bytes. */
    readonly size: number,
    /** The limit, in bytes. */
    readonly limit: number,
  ) {
    super(`the request has ${size} bytes, more than maxRequestBytes (${limit}) allows`, context);
  }
}
/** One attempt to reach a server. */
export interface FailedAttempt {
  /** `host:port`. */
  readonly server: string;
  readonly reason: Error;
}
/** No session could be established in time. `attempts` has each server with what it said last. */
export class ConnectError extends ZooKeeperError {
  readonly code = 'CONNECT_FAILED';
  constructor(
    message: string,
    readonly attempts: readonly FailedAttempt[],
    cause?: unknown,
  ) {
    const said = attempts.map(({ server, reason }) => `${server}: ${reason.message}`).join('; ');
    super(said === '' ? message : `${message} (${said})`, { operation: 'connect', cause });
  }
}
/** The servers have not come to the zxid that a read asked for: it is not of this ensemble, or data were lost. */
export class StaleReadError extends ZooKeeperError {
  readonly code = 'STALE_READ';
}
/** Why the `signal` of a lease aborted: the session may have ended, or has; and what is asked of a holder that has lost. */
export class LeaseLostError extends ZooKeeperError {
  readonly code = 'LEASE_LOST';
}

// --- What ends a connection; seen as the `cause` of other errors ------------------------------------------------------

/** Bytes that are not what the protocol allows at this place. */
export class ProtocolError extends ZooKeeperError {
  readonly code = 'PROTOCOL_ERROR';
}
/** A frame above the limit. */
export class FrameTooLargeError extends ProtocolError {
  constructor(
    readonly size: number,
    readonly limit: number,
    /** The first number in the frame: the xid of the request that it answers. */
    readonly xid: number,
  ) {
    super(`a frame of ${size} bytes was announced, more than maxReplyBytes (${limit}) allows`);
  }
}
/** The link to a server is gone, or was given up. */
export class LinkError extends ZooKeeperError {
  readonly code = 'LINK_DOWN';
}

/** In what way TLS has failed. */
export type TlsProblem =
  /** The certificate of the server comes from no authority that is trusted. */
  | 'untrustedCertificate'
  /** The certificate of the server is for other names. */
  | 'wrongHostName'
  | 'certificateExpired'
  | 'certificateNotYetValid'
  | 'certificateRevoked'
  /** There is no valid list of revoked certificates for a certificate of the server's. */
  | 'revocationUnknown'
  /** The server wants a certificate of the client, and there is none. */
  | 'clientCertificateMissing'
  | 'clientCertificateRefused'
  /** The port speaks something else than TLS, most likely ZooKeeper's protocol in plain. */
  | 'notTls'
  /** Server and client have no version or no cipher in common. */
  | 'incompatible'
  /** The handshake took longer than an attempt may take. */
  | 'timeout'
  | 'unreadableFile'
  | 'wrongPassphrase'
  /** The key is not that of the certificate. */
  | 'keyMismatch'
  /** A certificate, a key or a list cannot be read, or Node does not take the settings. */
  | 'invalidMaterial'
  /** The function of the option `tls` threw or rejected. */
  | 'sourceFailed'
  | 'other';
/** A server could not be talked to by TLS. The message says what to do; `problem` tells the cases apart. */
export class TlsError extends ZooKeeperError {
  readonly code = 'TLS_FAILED';
  constructor(
    readonly problem: TlsProblem,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
/** In what way SASL has failed. */
export type SaslProblem =
  /** The server refused: the user, the password or the ticket is wrong, or the user may not. */
  | 'refused'
  /** The server knows no SASL, or ended the exchange before it had proved anything. */
  | 'notDone'
  /** The server could not prove that it knows the password: it is not who it should be. */
  | 'serverNotProven'
  /** The server answered with something that is not of the mechanism. */
  | 'badChallenge'
  /** The optional package `kerberos` is not installed, or cannot be loaded. */
  | 'kerberosMissing'
  /** There is no ticket, no password, or the mechanism failed on this side. */
  | 'noCredentials'
  | 'timeout';
/**
 * A SASL exchange has failed. With `refused`, `notDone`, `serverNotProven`, `badChallenge` and `kerberosMissing` the
 * client is of no further use; it is then the `cause` of an `AuthFailedError`. The others are tried again.
 */
export class SaslError extends ZooKeeperError {
  readonly code = 'SASL_FAILED';
  constructor(
    readonly problem: SaslProblem,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

// --- What an ACL has to grant ----------------------------------------------------------------------------------------

/** What each operation needs. Creating and deleting is a matter of the parent. */
const neededPermissions: Readonly<Record<string, Permission | undefined>> = {
  create: 'create',
  delete: 'delete',
  getData: 'read',
  getChildren: 'read',
  exists: 'read',
  getAllChildrenNumber: 'read',
  check: 'read',
  setData: 'write',
  reconfig: 'write',
  // Or admin.
  getAcl: 'read',
  setAcl: 'admin',
};

function neededPermission({
  operation = '',
  path,
}: ErrorContext):
  { readonly permission: Permission; readonly on: string; readonly deniedBy: string | undefined } | undefined {
  const permission = Object.hasOwn(neededPermissions, operation) ? neededPermissions[operation] : undefined;
  if (permission === undefined || path === undefined) return undefined;
  if (permission !== 'create' && permission !== 'delete') return { permission, on: path, deniedBy: path };
  // The parent of a view's root is outside of what the caller can name.
  if (path === '/') return { permission, on: 'the parent of /', deniedBy: undefined };
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 1));
  return { permission, on: parent, deniedBy: parent };
}

// --- From codes to classes -------------------------------------------------------------------------------------------

type ServerErrorClass = new (message: string, context: ErrorContext) => ServerError;

/** The codes with a class of their own: number, class, what the message says. */
const serverErrors: readonly (readonly [number, ServerErrorClass, string])[] = [
  [-2, RuntimeInconsistencyError, 'not tried, because an earlier operation of the transaction failed'],
  [-5, MarshallingError, 'the server could not read the request'],
  [-6, UnimplementedError, 'the server does not know this operation, or the feature is switched off there'],
  [-8, BadArgumentsError, 'the server found an argument wrong'],
  [-13, NewConfigNoQuorumError, 'no quorum of the new configuration is in sync'],
  [-14, ReconfigInProgressError, 'another reconfiguration is under way'],
  [-101, NoNodeError, 'there is no such znode'],
  [-102, NoAuthError, 'the ACL does not allow it'],
  [-103, BadVersionError, 'the version is not the one given'],
  [-108, NoChildrenForEphemeralsError, 'an ephemeral znode cannot have children'],
  [-110, NodeExistsError, 'there is a znode already'],
  [-111, NotEmptyError, 'the znode has children'],
  [-114, InvalidAclError, 'the ACL is not valid'],
  [-118, SessionMovedError, 'the session has moved to another server'],
  [-119, NotReadOnlyError, 'the server is read-only: it has no quorum'],
  [-120, EphemeralOnLocalSessionError, 'a local session cannot own an ephemeral znode'],
  [-121, NoWatcherError, 'there is no such watch'],
  [-123, ReconfigDisabledError, 'reconfiguration is switched off on the server'],
  [-125, QuotaExceededError, 'a quota would be exceeded'],
  [-127, ThrottledError, 'the server is overloaded and dropped the request'],
];

const classesByCode = new Map(serverErrors.map(([code, errorClass, reason]) => [code, { errorClass, reason }]));

/** The numbers that the client itself decides by. */
export const ServerCode = {
  ok: 0,
  marshallingError: -5,
  unimplemented: -6,
  noNode: -101,
  sessionExpired: -112,
  authFailed: -115,
  notReadOnly: -119,
  sessionRequiresSasl: -124,
} as const;

/** The error of a code that a server answered with. */
export function serverError(serverCode: number, context: ErrorContext, hint = ''): ServerError {
  const known = classesByCode.get(serverCode);
  if (known !== undefined) return new known.errorClass(known.reason + hint, context);
  return new UnknownServerError(`the server answered with the unknown code ${serverCode}`, context, serverCode);
}

/** The classes of {@link UnansweredError}, by what happened. */
const unanswered = {
  connectionLoss: ConnectionLossError,
  expired: SessionExpiredError,
  authFailed: AuthFailedError,
  timeout: OperationTimeoutError,
  aborted: AbortedError,
  closed: ClosedError,
  queueFull: QueueFullError,
  replyTooLarge: ReplyTooLargeError,
} as const;

/**
 * What a session hands out in place of a result. The error itself is made where the caller's `await` resumes, so that
 * its stack leads to the caller.
 */
export type Failure = ServerFailure | UnansweredFailure | TooLargeFailure;

abstract class FailureBase {
  abstract toError(context: ErrorContext): ZooKeeperError;
}

/** A server answered with an error code. */
export class ServerFailure extends FailureBase {
  constructor(
    readonly serverCode: number,
    private readonly hint = '',
    private readonly transaction?: FailedTransaction,
  ) {
    super();
  }

  override toError(context: ErrorContext): ZooKeeperError {
    const error = serverError(this.serverCode, context, this.hint);
    if (this.transaction !== undefined) error.transaction = this.transaction;
    return error;
  }
}

/** No answer came. */
export class UnansweredFailure extends FailureBase {
  constructor(
    readonly kind: keyof typeof unanswered,
    private readonly message: string,
    private readonly mayHaveBeenApplied: boolean,
    private readonly cause?: unknown,
  ) {
    super();
  }

  override toError(context: ErrorContext): ZooKeeperError {
    return new unanswered[this.kind](
      this.message,
      { ...context, cause: this.cause ?? context.cause },
      this.mayHaveBeenApplied,
    );
  }
}

/** The request was above the limit and was not sent. */
export class TooLargeFailure extends FailureBase {
  constructor(
    private readonly size: number,
    private readonly limit: number,
  ) {
    super();
  }

  override toError(context: ErrorContext): ZooKeeperError {
    return new RequestTooLargeError(context, this.size, this.limit);
  }
}

/** Whether a session handed out a failure in place of a result. */
export function isFailure(outcome: unknown): outcome is Failure {
  return outcome instanceof FailureBase;
}
