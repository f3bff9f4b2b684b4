// Ready requests for the raw socket: one unit of each work, and how many frames come back for it.
import { boolean, buffer, frame, int, OpCode } from './jute.mjs';
import {
  CHROOT,
  childrenPath,
  createdPath,
  MULTI,
  multiPath,
  valueOf,
  valuePath,
  watchedPath,
  writtenPath,
} from './works.mjs';

const ANY_VERSION = -1;

/** The ACL that lets everybody do everything. */
const open = Buffer.concat([int(1), int(31), buffer('world'), buffer('anyone')]);

const request = (opCode, ...parts) => frame(int(1), int(opCode), ...parts);
const path = (relative) => buffer(CHROOT + relative);
const setOf = (relative, data) => [path(relative), buffer(data), int(ANY_VERSION)];
const header = (type, done) => Buffer.concat([int(type), boolean(done), int(-1)]);

const get = (relative, watch = false) => request(OpCode.getData, path(relative), boolean(watch));
const set = (relative, data) => request(OpCode.setData, ...setOf(relative, data));

const units = {
  get: ({ bytes }) => ({ frames: [get(valuePath(bytes))], replies: 1 }),
  exists: ({ bytes }) => ({ frames: [request(OpCode.exists, path(valuePath(bytes)), boolean(false))], replies: 1 }),
  set: ({ bytes }) => ({ frames: [set(writtenPath(bytes), valueOf(bytes))], replies: 1 }),
  create: ({ bytes, name }) => {
    const created = path(createdPath(name, 0));
    return {
      frames: [
        request(OpCode.create, created, buffer(valueOf(bytes)), open, int(0)),
        request(OpCode.delete, created, int(ANY_VERSION)),
      ],
      replies: 2,
      operations: 2,
    };
  },
  children: () => ({ frames: [request(OpCode.getChildren, path(childrenPath), boolean(false))], replies: 1 }),
  multi: ({ bytes }) => {
    const sets = Array.from({ length: MULTI }, (_, index) => [
      header(OpCode.setData, false),
      ...setOf(multiPath(index), valueOf(bytes)),
    ]);
    return { frames: [request(OpCode.multi, ...sets.flat(), header(OpCode.error, true))], replies: 1 };
  },
  // On one path, as nobody waits for anybody here: the watch that is set tells of the write that comes next.
  watch: ({ bytes, name }) => {
    const watched = watchedPath(name, 0);
    return { frames: [get(watched, true), set(watched, valueOf(bytes))], replies: 3 };
  },
};

/** What a lock that nobody else wants costs at least: a create and a list that leave together, then a delete. */
export function lockSteps({ name }) {
  const own = path(`/locks/_c_3f1d1e2c-5b7a-4c6e-9d0f-112233445566-lock-${name}`);
  const [noData, ephemeral] = [int(-1), int(1)];
  const create = request(OpCode.create, own, noData, open, ephemeral);
  const list = request(OpCode.getChildren, path('/locks'), boolean(false));
  return [
    { unit: Buffer.concat([create, list]), replies: 2 },
    { unit: request(OpCode.delete, own, int(ANY_VERSION)), replies: 1 },
  ];
}

/** One unit of a work: its bytes, the frames that come back for it, and the operations that it stands for. */
export function unitOf(work) {
  const { frames, replies, operations = 1 } = units[work.work](work);
  return { unit: Buffer.concat(frames), replies, operations };
}
