import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Connection, type ConnectionUser } from '../../../src/connection/connection.js';
import { LinkError, ProtocolError } from '../../../src/errors.js';
import { frame, int } from '../../support/frames.js';
import { type FakeSocket, turn, useFakeNetwork } from '../support/fake-network.js';

let socket: FakeSocket;
let connection: Connection;
let user: { [Name in keyof ConnectionUser]: jest.Mock<ConnectionUser[Name]> };

beforeEach(() => {
  const network = useFakeNetwork();
  user = { opened: jest.fn(), heard: jest.fn(), frame: jest.fn(), ended: jest.fn() };
  connection = new Connection({ host: 'zk', port: 2181 }, user, {
    maxFrameBytes: 1024,
    lookup: undefined,
    unref: false,
  });
  socket = network.newest;
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Writes a frame of one number, and lets it leave. */
function write(value: number): void {
  const mark = connection.out.openFrame();
  connection.out.int(value);
  connection.out.closeFrame(mark);
  connection.send();
}

describe('what is written', () => {
  it('in one turn leaves together, at its end', async () => {
    write(1);
    write(2);
    expect(socket.writes).toBe(0);
    expect(await socket.frames()).toEqual([int(1), int(2)]);
    expect(socket.writes).toBe(1);
  });

  it('in several turns leaves in as many parts', async () => {
    write(1);
    await turn();
    write(2);
    expect(await socket.frames()).toEqual([int(1), int(2)]);
    expect(socket.writes).toBe(2);
  });

  it('is not later than the moment that send() returns', async () => {
    const first = connection.send();
    jest.spyOn(performance, 'now').mockReturnValue(first + 1_000);
    expect(connection.send()).toBe(first);
    await turn();
    expect(connection.send()).toBe(first + 1_000);
  });

  it('does not leave once the connection is over', async () => {
    write(1);
    connection.end(new LinkError('over'));
    expect(await socket.frames()).toEqual([]);
  });

  it('and taken back leaves no trace', async () => {
    const mark = connection.out.openFrame();
    connection.out.discardFrame(mark);
    connection.send();
    await turn();
    expect(socket.writes).toBe(0);
  });
});

describe('what arrives', () => {
  it('is handed out frame by frame, after the word that something was heard', () => {
    const order: unknown[] = [];
    user.heard.mockImplementation(() => order.push('heard'));
    user.frame.mockImplementation((reader) => order.push(reader.int()));
    socket.say(int(1), int(2));
    expect(order).toEqual(['heard', 1, 2]);
    expect(connection.bytesRead).toBe(16);
  });

  it('is heard also where it is no whole frame', () => {
    socket.emit('data', frame(int(1)).subarray(0, 3));
    expect(user.heard).toHaveBeenCalledTimes(1);
    expect(user.frame).not.toHaveBeenCalled();
  });

  it('goes to the new user from the next frame on', () => {
    const next = { ...user, frame: jest.fn<ConnectionUser['frame']>() };
    user.frame.mockImplementation(() => {
      connection.user = next;
    });
    socket.say(int(1), int(2));
    expect([user.frame.mock.calls.length, next.frame.mock.calls.length]).toEqual([1, 1]);
  });

  it('is not handed out any more once the connection is over', () => {
    user.frame.mockImplementation(() => connection.end(new LinkError('enough')));
    socket.say(int(1), int(2));
    socket.emit('data', frame(int(3)));
    expect(user.frame).toHaveBeenCalledTimes(1);
    expect(user.heard).toHaveBeenCalledTimes(1);
  });
});

describe('the end', () => {
  it('comes once, for the first reason, and closes the socket', async () => {
    const reason = new LinkError('first');
    connection.end(reason);
    connection.end(new LinkError('second'));
    socket.emit('error', new Error('third'));
    socket.emit('close');
    await turn();
    expect(user.ended.mock.calls).toEqual([[reason]]);
    expect(socket.destroyed).toBe(true);
  });

  it.each<[string, () => void, string]>([
    ['the socket has an error', () => socket.emit('error', new Error('reset by peer')), 'reset by peer'],
    ['the server closes the connection', () => socket.emit('end'), 'the server closed the connection'],
    ['the socket is closed', () => socket.emit('close'), 'the socket was closed'],
    [
      'no address of a name can be reached',
      () => socket.emit('error', new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')], '')),
      'refused ::1, refused 127.0.0.1',
    ],
  ])('comes when %s', (_, happen, message) => {
    happen();
    expect(user.ended.mock.calls).toEqual([[new LinkError(message)]]);
    expect(socket.destroyed).toBe(true);
  });

  it('has the error of the socket as its cause', () => {
    const cause = new Error('reset');
    socket.emit('error', cause);
    expect(user.ended.mock.calls[0]?.[0]).toMatchObject({ code: 'LINK_DOWN', cause });
  });

  it('comes when a frame cannot be read', () => {
    user.frame.mockImplementation((reader) => void reader.long());
    socket.say(int(1), int(2));
    expect(user.ended.mock.calls[0]?.[0]).toBeInstanceOf(ProtocolError);
    expect(user.frame).toHaveBeenCalledTimes(1);
  });

  it('comes when bytes can be no frames', () => {
    socket.emit('data', int(-1));
    expect(user.ended.mock.calls).toEqual([[new ProtocolError('a frame of -1 bytes was announced')]]);
  });

  it('leaves nothing that is told later', () => {
    connection.end(new LinkError('over'));
    socket.emit('connect');
    socket.emit('data', frame(int(1)));
    expect([user.opened, user.heard, user.frame].map((mock) => mock.mock.calls.length)).toEqual([0, 0, 0]);
  });
});

it('tells when it is open', () => {
  expect(user.opened).not.toHaveBeenCalled();
  socket.emit('connect');
  expect(user.opened).toHaveBeenCalledTimes(1);
});
