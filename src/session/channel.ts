import Long from 'long';
import { after, now, type Timer } from '../clock.js';
import type { Connection, ConnectionUser } from '../connection/connection.js';
import {
  FrameTooLargeError,
  LinkError,
  ProtocolError,
  ServerCode,
  ServerFailure,
  TooLargeFailure,
  UnansweredFailure,
} from '../errors.js';
import type { WatchedChange } from '../events.js';
import type { OperationMeter } from '../metrics/operation-meter.js';
import type { AuthRequest } from '../operations/auth.js';
import { auth, ping } from '../operations/index.js';
import type { Operation } from '../operations/operation.js';
import type { ResolvedOptions } from '../options.js';
import { EventType, Xid } from '../protocol/codes.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import { readWatcherEvent, ReplyHeader } from '../protocol/records.js';
import type { Deadline } from './deadline.js';
import { Heartbeat } from './heartbeat.js';
import { InFlight } from './in-flight.js';
import type { LastZxid } from './last-zxid.js';
import type { PendingRequest } from './pending-request.js';
import type { ServerRelease } from './server-release.js';

/** The last xid before they start over at 1: the negative ones have other meanings. */
const LAST_XID = 2 ** 31 - 1;

/** Who waits for room is told when so much of what may be in flight is left: then many can go at once. */
const FULL_ENOUGH = 3 / 4;

const changeTypes: Readonly<Record<number, WatchedChange['type'] | undefined>> = {
  [EventType.created]: 'created',
  [EventType.deleted]: 'deleted',
  [EventType.dataChanged]: 'dataChanged',
  [EventType.childrenChanged]: 'childrenChanged',
};

/** Whom a channel tells. */
export interface ChannelUser {
  /** A server has answered a request or a ping of the session, for the first time on this connection. */
  confirmed(): void;
  changed(change: WatchedChange): void;
  /** There is room again on a connection that had none when {@link Channel.awaitRoom} was called. */
  roomy(): void;
  /** This process was held up: a timer came so many milliseconds late. */
  late(milliseconds: number): void;
  /** A server answered that the session is over. */
  expired(): void;
  /** A server refused credentials, or demands some. */
  authFailed(why: string): void;
  /** The connection is over; these requests were sent and have no answer. */
  ended(reason: Error, unanswered: readonly PendingRequest[]): void;
}

/** What outlives the connection. */
export interface ChannelSurroundings {
  readonly lastZxid: LastZxid;
  readonly deadline: Pick<Deadline, 'look' | 'confirm'>;
  readonly options: Pick<ResolvedOptions, 'maxRequestBytes' | 'inFlight' | 'unref'>;
  readonly release: ServerRelease;
  readonly meter: OperationMeter;
}

/** Requests and replies on one connection that a session is attached to. Replies come in the order of the requests. */
export class Channel implements ConnectionUser {
  readonly #inFlight = new InFlight();
  readonly #heartbeat: Heartbeat;
  readonly #header = new ReplyHeader();
  #isConfirmed = false;
  /** Why the connection ends as soon as all requests are answered. */
  #leaving: { readonly why: string; readonly timer: Timer } | undefined;
  /** When the pings were sent that have no answer yet; they are answered in order. */
  #pingsSentAt: number[] = [];
  #roomAwaited = false;
  /** Credentials that wait for the server's word; it may answer them ahead of requests. */
  #claims: { readonly settle: (accepted: boolean) => void }[] = [];

  constructor(
    readonly connection: Connection,
    private readonly sessionTimeout: number,
    private readonly around: ChannelSurroundings,
    private readonly user: ChannelUser,
    private lastXid = 0,
  ) {
    this.#heartbeat = new Heartbeat(
      {
        ping: () => this.#ping(),
        silence: (milliseconds) =>
          connection.end(new LinkError(`the server was silent for ${Math.round(milliseconds)} ms`)),
        late: (milliseconds) => user.late(milliseconds),
      },
      around.options.unref,
    );
    this.#heartbeat.start(sessionTimeout);
    connection.user = this;
  }

  /** Whether one more request may go on the wire. */
  get hasRoom(): boolean {
    const { maxOperations, maxBytes } = this.around.options.inFlight;
    return this.#inFlight.size < maxOperations && this.#inFlight.bytes < maxBytes;
  }

  /** The request that is answered next. */
  get first(): PendingRequest | undefined {
    return this.#inFlight.first;
  }

  /** Asks to be told when there is room for a good part of what may be in flight. */
  awaitRoom(): void {
    this.#roomAwaited = true;
  }

  #checkRoom(): void {
    const { maxOperations, maxBytes } = this.around.options.inFlight;
    const { size, bytes } = this.#inFlight;
    if (size > maxOperations * FULL_ENOUGH || bytes > maxBytes * FULL_ENOUGH) return;
    this.#roomAwaited = false;
    this.user.roomy();
  }

  /** Requests that were sent and are not answered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Sends a request, or fails it where that is pointless. */
  send(request: PendingRequest): void {
    if (request.settled) return;
    const { operation } = request;
    const { options, release } = this.around;
    const { maxRequestBytes } = options;
    if (release.lacks(operation.opCode)) {
      request.fail(new ServerFailure(ServerCode.unimplemented, request.sinceHint));
      return;
    }
    const { out } = this.connection;
    const frame = out.openFrame();
    const xid = this.#nextXid();
    out.int(xid);
    out.int(operation.opCode);
    request.write(out);
    const size = out.closeFrame(frame);
    if (size + request.sparedBytes > maxRequestBytes) {
      out.discardFrame(frame);
      request.fail(new TooLargeFailure(size + request.sparedBytes, maxRequestBytes));
      return;
    }
    request.xid = xid;
    request.size = size;
    request.timesSent++;
    request.sentAt = this.#sent();
    this.#inFlight.push(request);
  }

  /** Whether the connection is about to be left: nothing more is to be sent on it. */
  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Ends the connection as soon as everything that was sent is answered, after `timeout` milliseconds at the latest. */
  leave(why: string, timeout: number): void {
    if (this.#leaving !== undefined) return;
    const end = (): void => this.connection.end(new LinkError(why));
    this.#leaving = { why, timer: after(timeout, end, this.around.options.unref) };
    this.#leaveIfIdle();
  }

  /** Takes a {@link leave} back. */
  stay(): void {
    this.#leaving?.timer.cancel();
    this.#leaving = undefined;
  }

  #leaveIfIdle(): void {
    if (this.#leaving !== undefined && this.#inFlight.size === 0 && this.#claims.length === 0)
      this.connection.end(new LinkError(this.#leaving.why));
  }

  #confirm(): void {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.user.confirmed();
  }

  /** Sends credentials. `accepted` is false if the connection ended before the server had its say. */
  claim(request: AuthRequest, settle: (accepted: boolean) => void): void {
    this.#sendBeside(Xid.auth, auth, request);
    this.#claims.push({ settle });
  }

  /** Sends no pings until {@link wake}: while the server waits for proofs it would take them for requests. */
  hush(): void {
    this.#heartbeat.stop();
  }

  wake(): void {
    this.#heartbeat.start(this.sessionTimeout);
  }

  #ping(): void {
    this.#pingsSentAt.push(this.#sendBeside(Xid.ping, ping, undefined));
  }

  /** Sends what stands beside the queue, with an xid of its own kind. Returns when. */
  #sendBeside<Request>(xid: number, operation: Operation<Request, void>, request: Request): number {
    const { out } = this.connection;
    const frame = out.openFrame();
    out.int(xid);
    out.int(operation.opCode);
    operation.write(out, request);
    out.closeFrame(frame);
    return this.#sent();
  }

  #sent(): number {
    const sentAt = this.connection.send();
    this.#heartbeat.wrote(sentAt);
    return sentAt;
  }

  #nextXid(): number {
    this.lastXid = this.lastXid === LAST_XID ? 1 : this.lastXid + 1;
    return this.lastXid;
  }

  opened(): void {
    throw new Error('a channel begins on a connection that is open');
  }

  heard(): void {
    const time = now();
    this.#heartbeat.heard(time);
    this.around.deadline.look(time);
    this.around.meter.heard(time);
  }

  frame(reader: JuteReader): void {
    const header = this.#header;
    header.read(reader);
    if (header.xid > 0) this.#replied(header, reader);
    else if (header.xid === Xid.notification) this.#notified(header, reader);
    else if (header.xid === Xid.ping) this.#ponged(header);
    else if (header.xid === Xid.auth) this.#claimAnswered(header);
    else throw new ProtocolError(`a reply has the unknown xid ${header.xid}`);
  }

  #replied(header: ReplyHeader, reader: JuteReader): void {
    // The zxid tells an operation that the server does not know from a feature that is switched off.
    if (header.error === ServerCode.unimplemented && header.zxidHigh === -1) {
      this.#unknown(header, reader);
      return;
    }
    const request = this.#inFlight.first;
    if (request?.xid !== header.xid) {
      throw new ProtocolError(`a reply has the xid ${header.xid} where ${request?.xid ?? 'none'} was expected`);
    }
    request.answer(header, reader);
    this.#inFlight.shift();
    this.around.release.answered(request.operation.opCode);
    this.around.lastZxid.see(header.zxidHigh, header.zxidLow);
    if (request.operation.signOfLife !== false) this.around.deadline.confirm(request.sentAt);
    if (header.error < 0) this.#consider(header);
    if (this.#roomAwaited) this.#checkRoom();
    if (header.error !== ServerCode.sessionExpired) this.#confirm();
    this.#leaveIfIdle();
  }

  /**
   * A server answers an op code that it does not know at once, ahead of what it still works on, and closes the
   * connection: what would be sent now were lost.
   */
  #unknown(header: ReplyHeader, reader: JuteReader): void {
    const request = this.#inFlight.take(header.xid);
    if (request === undefined) throw new ProtocolError(`a reply has the xid ${header.xid}, which no request has`);
    this.around.release.refused(request.operation.opCode);
    request.answer(header, reader);
    this.connection.end(new LinkError(`the server does not know ${request.operation.name}, and closes the connection`));
  }

  /** What an error says beyond the request that it answers. */
  #consider({ error }: ReplyHeader): void {
    if (error === ServerCode.sessionExpired) this.user.expired();
    this.#checkAuth(error);
  }

  #checkAuth(error: number): void {
    if (error === ServerCode.authFailed)
      this.user.authFailed('the server refused the credentials, or does not know their scheme');
    if (error === ServerCode.sessionRequiresSasl)
      this.user.authFailed('the server demands that clients prove who they are; see the options sasl and auth');
  }

  #notified(header: ReplyHeader, reader: JuteReader): void {
    const event = readWatcherEvent(reader);
    const type = changeTypes[event.type];
    if (type === undefined) throw new ProtocolError(`a notification has the unknown type ${event.type}`);
    const zxid = header.zxidHigh < 0 ? undefined : new Long(header.zxidLow, header.zxidHigh);
    this.user.changed({ type, path: event.path, zxid });
  }

  #ponged(header: ReplyHeader): void {
    const sentAt = this.#pingsSentAt.shift();
    if (sentAt === undefined) throw new ProtocolError('an answer came to a ping that was not sent');
    this.around.deadline.confirm(sentAt);
    this.around.meter.ponged(sentAt);
    this.#checkAuth(header.error);
    this.#confirm();
  }

  #claimAnswered(header: ReplyHeader): void {
    const claim = this.#claims[0];
    if (claim === undefined) throw new ProtocolError('an answer came to credentials that were not sent');
    if (header.error < 0) {
      this.#checkAuth(ServerCode.authFailed);
      return;
    }
    this.#claims.shift();
    claim.settle(true);
    this.#leaveIfIdle();
  }

  ended(reason: Error): void {
    this.#heartbeat.stop();
    this.stay();
    this.user.ended(this.#blame(reason), this.#inFlight.takeAll());
    for (const { settle } of this.#claims.splice(0)) settle(false);
  }

  /** A reply that is too large is the doing of the one request that it answers; for all others a link was lost. */
  #blame(reason: Error): Error {
    const request = this.#inFlight.first;
    if (!(reason instanceof FrameTooLargeError) || request?.xid !== reason.xid) return reason;
    request.fail(new UnansweredFailure('replyTooLarge', reason.message, request.operation.effect === 'write', reason));
    this.#inFlight.shift();
    return new LinkError('a reply was too large', { cause: reason });
  }
}
