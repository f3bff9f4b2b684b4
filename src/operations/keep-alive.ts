import { OpCode } from '../protocol/codes.js';
import { defineOperation, readNothing } from './operation.js';

/** Tells the server that the client is alive. */
export const ping = defineOperation<undefined, void>({
  name: 'ping',
  opCode: OpCode.ping,
  since: '3.0.0',
  effect: 'connection',
  write: readNothing,
  read: readNothing,
});

/** Ends the session: the server deletes its ephemeral znodes, answers, and closes the connection. */
export const closeSession = defineOperation<undefined, void>({
  name: 'close',
  opCode: OpCode.closeSession,
  since: '3.0.0',
  effect: 'write',
  write: readNothing,
  read: readNothing,
});
