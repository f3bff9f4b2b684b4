/** What a real server cannot be made to do in the middle of a SASL exchange. */
import { describe, expect, it } from '@jest/globals';
import { AuthFailedError, type ClientOptions, type SaslExchange, ZooKeeper } from 'zookit';
import { bytes, int, reply, startWireServer, type WireFrame } from '../support/wire-server.js';
import { until } from '../support/until.js';
import { failureOf, op, openTo } from './rig.js';

const saslOpCode = 102;

/** A mechanism that says "hello" and is content with "welcome". */
function own(exchange: Partial<SaslExchange> = {}): ClientOptions {
  return {
    sessionTimeout: 30_000,
    sasl: {
      mechanism: 'OWN',
      begin: () => ({
        start: () => Buffer.from('hello'),
        step: (challenge) => (String(challenge) === 'welcome' ? undefined : Buffer.from('again')),
        ...exchange,
      }),
    },
  };
}

function answer(frame: WireFrame, token: string | null): void {
  frame.connection.send(reply(frame, { zxid: 0n, body: token === null ? int(-1) : bytes(token) }));
}

function tokenOf({ body }: WireFrame): string {
  return body.subarray(4).toString();
}

describe('R4: while the SASL exchange is under way', () => {
  it('nothing else is sent: neither other credentials nor operations', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { ...own(), auth: [{ scheme: 'digest', auth: 'alice:pw' }] });
    const waiting = zk.exists('/node');
    const first = await server.frame();
    expect([first.opCode, tokenOf(first), zk.state]).toEqual([saslOpCode, 'hello', 'connecting']);
    answer(first, 'more');
    const second = await server.frame();
    expect([second.opCode, tokenOf(second)]).toEqual([saslOpCode, 'again']);
    answer(second, 'welcome');
    const third = await server.frame();
    expect(third.opCode).toBe(op.auth);
    third.connection.send(reply({ xid: -4 }));
    const fourth = await server.frame();
    expect(fourth.opCode).toBe(op.exists);
    fourth.connection.send(reply(fourth, { err: -101 }));
    expect(await waiting).toBeNull();
  });

  it('a connection that drops is a connection that dropped: the next one is tried, from the beginning', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, own());
    const first = await server.frame();
    answer(first, 'more');
    (await server.frame()).connection.reset();
    const again = await server.frame();
    expect([again.opCode, tokenOf(again)]).toEqual([saslOpCode, 'hello']);
    answer(again, 'welcome');
    await zk.ready();
    expect(server.totalConnections).toBe(2);
  });

  it('servers that drop it again and again are tried after pauses, and the error says so', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, own());
    for (let attempt = 1; attempt <= 3; attempt++) (await server.frame()).connection.reset();
    const error = await failureOf<Error>(zk.ready({ timeout: 100 }));
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', attempts: [{ server: server.connectString }] });
    expect(error.message).not.toContain('it has not answered yet');
  });

  it('a refusal is the end', async () => {
    await using server = await startWireServer();
    const failure = failureOf(ZooKeeper.connect(server.connectString, own()));
    const frame = await server.frame();
    frame.connection.send(reply(frame, { zxid: 0n, err: -115 }));
    expect(await failure).toBeInstanceOf(AuthFailedError);
    expect(await failure).toMatchObject({ cause: { code: 'SASL_FAILED', problem: 'refused' } });
    await until(() => server.openConnections === 0, { what: 'the connection to end' });
    expect(server.totalConnections).toBe(1);
  });

  it('a server that cannot prove that it knows the password is refused', async () => {
    await using server = await startWireServer();
    const sasl = { mechanism: 'DIGEST-MD5', username: 'bob', password: 'secret' } as const;
    const failure = failureOf(ZooKeeper.connect(server.connectString, { sessionTimeout: 30_000, sasl }));
    answer(await server.frame(), 'realm="zk-sasl-md5",nonce="n",charset=utf-8,algorithm=md5-sess');
    answer(await server.frame(), 'rspauth=00000000000000000000000000000000');
    expect(await failure).toBeInstanceOf(AuthFailedError);
    expect(await failure).toMatchObject({ cause: { problem: 'serverNotProven' } });
  });

  it('a server that says nothing is given up before the session could end, without a ping', async () => {
    await using server = await startWireServer({ answerPings: false });
    await using zk = openTo(server.connectString, { ...own(), sessionTimeout: 900 });
    const opCodes = [(await server.frame()).opCode, (await server.frame()).opCode];
    expect(opCodes).toEqual([saslOpCode, saslOpCode]);
    expect(zk.state).toBe('connecting');
  });

  it('close() waits for it, and then ends the session', async () => {
    await using server = await startWireServer();
    const zk = openTo(server.connectString, own());
    const first = await server.frame();
    const closed = zk.close({ timeout: 20_000 });
    answer(first, 'welcome');
    const last = await server.frame();
    expect(last.opCode).toBe(op.close);
    last.connection.send(reply(last));
    await closed;
    expect(server.totalConnections).toBe(1);
  });
});

describe('a read-only server', () => {
  const readOnly = { ...own(), readOnly: true };
  const attach = { session: { id: '0x100000000000007', password: Buffer.alloc(16, 1).toString('base64') } };

  it.each<[string, ClientOptions]>([
    ['has no session yet', {}],
    ['attaches to one whose timeout it does not know', attach],
  ])('proves who it is to a client that %s', async (_, more) => {
    // There, a server that takes writes is looked for in vain.
    const handshake = ({ readOnly: willDo }: { readOnly: boolean | undefined }) =>
      willDo === true ? { readOnly: true } : ('close' as const);
    await using server = await startWireServer({ handshake });
    await using zk = openTo(server.connectString, {
      ...readOnly,
      ...more,
      auth: [{ scheme: 'digest', auth: 'alice:pw' }],
    });
    const hello = await server.frame();
    expect([hello.opCode, tokenOf(hello)]).toEqual([saslOpCode, 'hello']);
    // Whoever has no time at all has given up before this is over.
    let asks = hello;
    for (let round = 0; round < 20; round++) {
      answer(asks, 'more');
      asks = await server.frame();
      expect([asks.connection, tokenOf(asks)]).toEqual([hello.connection, 'again']);
    }
    answer(asks, 'welcome');
    const credentials = await server.frame();
    expect([credentials.opCode, zk.state]).toEqual([op.auth, 'connecting']);
    credentials.connection.send(reply({ xid: -4 }));
    await zk.ready({ timeout: 20_000 });
    expect([zk.state, zk.session.timeout]).toEqual(['readonly', 30_000]);
    const read = zk.exists('/node');
    const asked = await server.frame();
    expect([asked.connection, asked.opCode]).toEqual([hello.connection, op.exists]);
    asked.connection.send(reply(asked, { err: -101 }));
    expect(await read).toBeNull();
  });
});
