import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import type { HostProvider } from '../../../src/connection/host-provider.js';
import { Rounds } from '../../../src/connection/rounds.js';
import { ServerList } from '../../../src/connection/server-list.js';
import { resolveOptions } from '../../../src/options.js';
import { Attacher, type AttacherUser } from '../../../src/session/attacher.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { type FakeNetwork, type FakeSocket, useFakeNetwork } from '../support/fake-network.js';

const T = 9_000;

let clock: TestClock;
let network: FakeNetwork;
let sessionId: Long;
let lastZxidSeen: Long;
let readOnly: boolean;
let attacher: Attacher;
let rounds: Rounds;
const told = {
  attached: jest.fn<AttacherUser['attached']>(),
  expired: jest.fn<AttacherUser['expired']>(),
  ahead: jest.fn<AttacherUser['ahead']>(),
  attemptFailed: jest.fn<AttacherUser['attemptFailed']>(),
  hostsFailed: jest.fn<AttacherUser['hostsFailed']>(),
  roundFailed: jest.fn<AttacherUser['roundFailed']>(),
};

function attacherTo(...names: string[]): Attacher {
  return attacherOf(new ServerList(names.map((host) => ({ host, port: 2181 }))));
}

function attacherOf(provider: HostProvider): Attacher {
  const password = Buffer.alloc(16);
  rounds = new Rounds(provider, false, () => 0.999);
  return new Attacher(rounds, resolveOptions(), {
    connectRequest: () => ({ lastZxidSeen, timeout: T, sessionId, password, readOnly }),
    timeout: () => T,
    longestPause: () => undefined,
    attempted: () => undefined,
    ...told,
  });
}

beforeEach(() => {
  clock = useTestClock();
  network = useFakeNetwork();
  for (const mock of Object.values(told)) mock.mockReset();
  sessionId = Long.ZERO;
  lastZxidSeen = Long.ZERO;
  readOnly = false;
  attacher = attacherTo('a', 'b', 'c');
});
afterEach(() => {
  attacher.stop();
  useRealClock();
});

/** Begins, and waits for the first attempt. */
async function started(): Promise<FakeSocket> {
  attacher.start();
  await clock.advance(0);
  return network.newest;
}

/** The next attempt, after its pause. */
async function nextAttempt(): Promise<FakeSocket> {
  const before = network.sockets.length;
  for (let waited = 0; network.sockets.length === before; waited += 100) {
    if (waited > 20_000) throw new Error('there is no further attempt');
    await clock.advance(100);
  }
  return network.newest;
}

function reasons(): string[] {
  return told.attemptFailed.mock.calls.map(([server, reason]) => `${server.host}: ${reason.message}`);
}

describe('an attempt', () => {
  it('says nothing before the connection is there, and the connect request after', async () => {
    const socket = await started();
    expect(await socket.frames()).toEqual([]);
    expect(await socket.accept()).toMatchObject({ sessionId: 0n, timeout: T, lastZxidSeen: 0n });
  });

  it('that succeeds hands over the connection, the session, and a moment not after the sending', async () => {
    const socket = await started();
    await clock.advance(100);
    await socket.accept();
    const sentAt = performance.now();
    await clock.advance(50);
    await socket.welcome({ sessionId: 5, timeout: 4_000 });
    expect(told.attached).toHaveBeenCalledTimes(1);
    expect(told.attached.mock.calls[0]?.[0]).toMatchObject({
      key: { id: Long.fromNumber(5), password: Buffer.alloc(16, 5) },
      timeout: 4_000,
      sentAt,
    });
    expect(socket.destroyed).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it('that fails is followed by one at the next server, without a pause', async () => {
    const first = await started();
    await first.fail('connection refused');
    await clock.advance(0);
    expect(network.sockets).toHaveLength(2);
    expect(network.newest.host).not.toBe(first.host);
    expect(reasons()).toEqual([`${first.host}: connection refused`]);
    expect(first.destroyed).toBe(true);
  });

  it('pauses once all servers were tried', async () => {
    await (await started()).fail();
    for (let count = 0; count < 2; count++) {
      await clock.advance(0);
      await network.newest.fail();
    }
    await clock.advance(98);
    expect(network.sockets).toHaveLength(3);
    await clock.advance(2);
    expect(network.sockets).toHaveLength(4);
  });

  it('without an answer ends after a third of the session timeout', async () => {
    const first = await started();
    await clock.advance(T / 3 - 1);
    expect(first.destroyed).toBe(false);
    await clock.advance(1);
    expect(first.destroyed).toBe(true);
    expect(reasons()).toEqual([`${first.host}: no connection within 3000 ms`]);
  });

  it('whose handshake has no answer ends so, too', async () => {
    const first = await started();
    await first.accept();
    await clock.advance(T / 3);
    expect(reasons()).toEqual([`${first.host}: no answer to the connect request within 3000 ms`]);
  });

  it('that is answered with nonsense is a failed one', async () => {
    const first = await started();
    await first.accept();
    first.say(Buffer.alloc(16));
    expect(reasons()).toEqual([
      `${first.host}: the answer to the connect request has 16 bytes, at least 36 were expected`,
    ]);
    expect(first.destroyed).toBe(true);
  });
});

it('E1: a server that accepts and closes at once is asked fewer than 40 times in 20 s, ever more rarely', async () => {
  attacher = attacherTo('a');
  const times: number[] = [];
  for (let socket = await started(); ; socket = await nextAttempt()) {
    if (performance.now() > 20_000) break;
    times.push(performance.now());
    await socket.accept();
    await socket.close();
  }
  expect(times.length).toBeLessThan(40);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
});

describe('an end', () => {
  it('closes the attempt under way, and tells nobody', async () => {
    const socket = await started();
    attacher.stop();
    expect(socket.destroyed).toBe(true);
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
    expect(told.attemptFailed).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });

  it('takes back a pause', async () => {
    attacher.start();
    attacher.stop();
    await clock.advance(60_000);
    expect(network.sockets).toEqual([]);
  });

  it('comes with success: it does not go on by itself', async () => {
    const socket = await started();
    await socket.accept();
    await socket.welcome();
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
  });
});

it('is begun once, however often it is started', async () => {
  attacher.start();
  attacher.start();
  await clock.advance(0);
  expect(network.sockets).toHaveLength(1);
});

describe('a session that has expired', () => {
  it('is told, and no further server is asked', async () => {
    sessionId = Long.fromNumber(77);
    const socket = await started();
    await socket.accept();
    await socket.refuse();
    expect(told.expired).toHaveBeenCalledTimes(1);
    expect(socket.destroyed).toBe(true);
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
  });

  it('is none where a new one was asked for: the attempt has failed', async () => {
    const socket = await started();
    await socket.accept();
    await socket.refuse();
    expect(told.expired).not.toHaveBeenCalled();
    expect(told.attemptFailed).toHaveBeenCalledTimes(1);
    await nextAttempt();
  });
});

describe('a server that takes the connect request and closes without a byte', () => {
  async function refuseSilently(socket: FakeSocket): Promise<void> {
    await socket.accept();
    await socket.close();
  }

  beforeEach(() => {
    attacher = attacherTo('a');
    lastZxidSeen = Long.fromNumber(100);
  });

  it('is asked after the second time whether it is behind, without the last zxid', async () => {
    await refuseSilently(await started());
    await refuseSilently(await nextAttempt());
    const probe = network.newest;
    expect(network.sockets).toHaveLength(3);
    expect(await probe.accept()).toMatchObject({ lastZxidSeen: 0n });
  });

  /** The probe is answered; what follows at once is the attempt that confirms it. */
  async function answerProbe(): Promise<FakeSocket> {
    await refuseSilently(await started());
    await refuseSilently(await nextAttempt());
    const probe = network.newest;
    await probe.accept();
    await probe.welcome();
    expect(told.attached).not.toHaveBeenCalled();
    expect(probe.destroyed).toBe(true);
    return network.newest;
  }

  it('is behind if it then grants a session, and refuses the true request once more', async () => {
    const confirmation = await answerProbe();
    expect(told.ahead).not.toHaveBeenCalled();
    expect(await confirmation.accept()).toMatchObject({ lastZxidSeen: 100n });
    await confirmation.close();
    expect(told.ahead).toHaveBeenCalledTimes(1);
  });

  it('is not behind if it takes the true request after all: it has only begun to serve', async () => {
    const confirmation = await answerProbe();
    await confirmation.accept();
    await confirmation.welcome();
    expect(told.ahead).not.toHaveBeenCalled();
    expect(told.attached).toHaveBeenCalledTimes(1);
  });

  it('is merely late if it knows the session that was asked for', async () => {
    sessionId = Long.fromNumber(77);
    await refuseSilently(await started());
    await refuseSilently(await nextAttempt());
    const probe = network.newest;
    await probe.accept();
    await probe.welcome({ sessionId: 77 });
    expect(network.newest).toBe(probe);
    await refuseSilently(await nextAttempt());
    expect(told.ahead).not.toHaveBeenCalled();
  });

  it('is not asked where the client has seen nothing', async () => {
    lastZxidSeen = Long.ZERO;
    await refuseSilently(await started());
    await refuseSilently(await nextAttempt());
    expect(network.sockets).toHaveLength(2);
  });

  it('is not asked where it did not take the connect request', async () => {
    await (await started()).close();
    await (await nextAttempt()).close();
    expect(network.sockets).toHaveLength(2);
  });
});

describe('where a server without a quorum will do', () => {
  beforeEach(() => {
    attacher = attacherTo('a');
    readOnly = true;
    sessionId = Long.fromNumber(77);
    lastZxidSeen = Long.fromNumber(100);
  });

  /** The server closes without a byte; what follows at once is the next attempt. */
  async function refusedSilently(socket: FakeSocket): Promise<FakeSocket> {
    await socket.accept();
    await socket.close();
    return network.newest;
  }

  it('one that refuses the session silently is asked at once without it', async () => {
    const second = await refusedSilently(await started());
    expect(network.sockets).toHaveLength(2);
    expect(await second.accept()).toMatchObject({ sessionId: 0n, lastZxidSeen: 100n, password: Buffer.alloc(16) });
    await second.welcome({ sessionId: 5, readOnly: true });
    expect(told.attached.mock.calls).toMatchObject([[{ readOnly: true, key: { id: Long.fromNumber(5) } }]]);
    expect(told.attemptFailed).not.toHaveBeenCalled();
  });

  it('one that has no session to ask for is asked once', async () => {
    sessionId = Long.ZERO;
    await refusedSilently(await started());
    expect(network.sockets).toHaveLength(1);
    expect(told.attemptFailed).toHaveBeenCalledTimes(1);
  });

  it('one that does not know the session has not expired it, and is asked without it', async () => {
    const first = await started();
    await first.accept();
    await first.welcome({ sessionId: 0, timeout: 0, readOnly: true });
    expect(told.expired).not.toHaveBeenCalled();
    expect(first.destroyed).toBe(true);
    const second = network.newest;
    expect(await second.accept()).toMatchObject({ sessionId: 0n });
    await second.welcome({ sessionId: 5, readOnly: true });
    expect(told.attached).toHaveBeenCalledTimes(1);
  });

  it('one that opens another session because it has just begun to take writes is asked again', async () => {
    const second = await refusedSilently(await started());
    await second.accept();
    await second.welcome({ sessionId: 5 });
    expect(told.attached).not.toHaveBeenCalled();
    expect(second.destroyed).toBe(true);
    expect(reasons()).toEqual(['a: the server has just begun to take writes']);
    expect(await (await nextAttempt()).accept()).toMatchObject({ sessionId: 77n });
  });

  it('one that is behind and knows the session is merely late: the session is not given up', async () => {
    await refusedSilently(await refusedSilently(await started()));
    const probe = await refusedSilently(await refusedSilently(await nextAttempt()));
    expect(network.sockets).toHaveLength(5);
    expect(await probe.accept()).toMatchObject({ lastZxidSeen: 0n, sessionId: 77n });
    await probe.welcome({ sessionId: 77 });
    expect(network.newest).toBe(probe);
    expect(told.ahead).not.toHaveBeenCalled();
  });

  it.each([77, 0])('one without a quorum says nothing of being behind (session %d)', async (id) => {
    await refusedSilently(await refusedSilently(await started()));
    const probe = await refusedSilently(await refusedSilently(await nextAttempt()));
    await probe.accept();
    await probe.welcome({ sessionId: id, timeout: id === 0 ? 0 : T, readOnly: true });
    expect(network.newest).toBe(probe);
    expect(told.ahead).not.toHaveBeenCalled();
  });
});

describe('the servers', () => {
  const zk = [{ host: 'zk', port: 2181 }];

  it('are asked for at each round, and looked for within a third of the session timeout', async () => {
    const servers = jest.fn<HostProvider['servers']>().mockResolvedValueOnce(zk);
    servers.mockReturnValueOnce(new Promise(() => undefined)).mockResolvedValue([{ host: 'other', port: 2181 }]);
    attacher = attacherOf({ name: 'registry', servers });
    const first = await started();
    expect(first.host).toBe('zk');
    await first.fail();
    await clock.advance(100 + T / 3);
    expect(told.hostsFailed.mock.calls).toEqual([
      ['registry', expect.objectContaining({ message: 'it gave no servers within 3000 ms' })],
    ]);
    // What was known before is tried all the same.
    const second = network.newest;
    expect([second === first, second.host]).toEqual([false, 'zk']);
    await second.fail();
    expect((await nextAttempt()).host).toBe('other');
  });

  it('that are not known are asked for again, at growing intervals', async () => {
    const times: number[] = [];
    attacher = attacherOf({
      servers: () => {
        times.push(Math.round(performance.now()));
        throw new Error('no idea');
      },
    });
    attacher.start();
    await clock.advance(1_600);
    expect(times).toEqual([0, 99, 298, 697, 1496]);
    expect(told.hostsFailed).toHaveBeenCalledTimes(5);
    expect(told.roundFailed).toHaveBeenCalledTimes(5);
    expect(network.sockets).toEqual([]);
  });

  it('are asked for no more after the end', async () => {
    let asked: AbortSignal | undefined;
    attacher = attacherOf({
      servers: (signal) => {
        asked = signal;
        return new Promise(() => undefined);
      },
    });
    attacher.start();
    await clock.advance(0);
    attacher.stop();
    expect(asked?.aborted).toBe(true);
    await clock.advance(60_000);
    expect(told.hostsFailed).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });
});

describe('a round that failed', () => {
  it('is told when each server was tried once', async () => {
    await (await started()).fail();
    await clock.advance(0);
    await network.newest.fail();
    await clock.advance(0);
    expect(told.roundFailed).not.toHaveBeenCalled();
    await network.newest.fail();
    expect(told.roundFailed).toHaveBeenCalledTimes(1);
  });

  it('is also one in which a server took the session and dropped it unconfirmed', async () => {
    attacher = attacherTo('a');
    const socket = await started();
    await socket.accept();
    await socket.welcome();
    attacher.start();
    expect(told.roundFailed).toHaveBeenCalledTimes(1);
  });
});

describe('other servers', () => {
  it('are tried at once, and the attempt under way is given up', async () => {
    const list = new ServerList([{ host: 'old', port: 2181 }]);
    attacher = attacherOf(list);
    const socket = await started();
    list.update([{ host: 'new', port: 2181 }], []);
    attacher.restart();
    await clock.advance(0);
    expect([socket.destroyed, network.newest.host]).toEqual([true, 'new']);
    expect(told.attemptFailed).not.toHaveBeenCalled();
  });

  it('are tried at once in place of a pause', async () => {
    const list = new ServerList([{ host: 'old', port: 2181 }]);
    attacher = attacherOf(list);
    for (let socket = await started(), count = 0; count < 8; count++) {
      await socket.fail();
      socket = await nextAttempt();
    }
    await network.newest.fail();
    list.update([{ host: 'new', port: 2181 }], []);
    attacher.restart();
    await clock.advance(0);
    expect(network.newest.host).toBe('new');
  });

  it('begin nothing where no server is looked for', async () => {
    attacher.restart();
    await clock.advance(1_000);
    expect(network.sockets).toEqual([]);
  });
});
