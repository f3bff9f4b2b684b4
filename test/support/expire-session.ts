import { connect, type Socket } from 'node:net';
import { bytes, frame, FrameSplitter, int, long } from './frames.js';
import { gate, within } from './until.js';

/** What identifies a session: the form of `zk.session.export()`. */
export interface ExpirableSession {
  /** In hexadecimal: `0x100000c92d0004c`. */
  readonly id: string;
  /** base64. */
  readonly password: string;
}

const closeSession = -11;

/**
 * Makes a server end a session, as if its time had passed: somebody else attaches to it and closes it. Its ephemeral
 * znodes are gone when the promise resolves. The client learns of it as of any expiry: its connection ends, and the next
 * one is told that there is no such session.
 */
export async function expireSession(
  server: { readonly host: string; readonly port: number },
  { id, password }: ExpirableSession,
): Promise<void> {
  const key = frame(
    ...[int(0), long(0), int(10_000), long(BigInt.asIntN(64, BigInt(id)))],
    ...[bytes(Buffer.from(password, 'base64')), Buffer.from([0])],
  );
  for (let attempt = 1; ; attempt++) {
    const socket = connect({ host: server.host, port: server.port });
    try {
      const answer = await within(endSession(socket, key), { what: `the end of session ${id}` });
      if (answer === 'closed') return;
      if (answer === 'unknown' && attempt > 1) return;
      if (answer === 'unknown') throw new Error(`the server knows no session ${id} with this password`);
      // The client was faster and has taken its session back.
    } finally {
      socket.destroy();
    }
  }
}

/** `lost`: the connection ended before the server had confirmed that it has closed the session. */
function endSession(socket: Socket, key: Buffer): Promise<'closed' | 'unknown' | 'lost'> {
  const answered = gate<'closed' | 'unknown' | 'lost'>();
  const splitter = new FrameSplitter();
  let replies = 0;
  socket.on('data', (chunk: Buffer) => {
    for (const reply of splitter.push(chunk)) {
      if (++replies > 1) answered.open('closed');
      else if (reply.readInt32BE(8) <= 0) answered.open('unknown');
    }
  });
  socket.on('error', () => undefined).on('close', () => answered.open('lost'));
  // Together, so that the client has no time to take its session back.
  socket.write(Buffer.concat([key, frame(int(1), int(closeSession))]));
  return answered.promise;
}
