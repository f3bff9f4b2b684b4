// What the chapters of the tour share: clients, checks, and a look at the server through a session of its own.
import { setTimeout as pause } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';
import { ZooKeeper } from 'zookit';
import { Relay } from './relay.mjs';

/** All that the tour does lies below this znode. */
const ROOT = '/zookit-tour';

/** How long a check waits for what is to come, milliseconds. */
const PATIENCE = 20_000;

export class CheckFailed extends Error {}

export class Stage {
  /** @param server `connectString`, and whether it is our `own`: then it has `kill()` and `start()` */
  static async open(server) {
    const relay = await Relay.open(server.connectString);
    const observer = await ZooKeeper.connect(server.connectString, { connectTimeout: 10_000 });
    await observer.deleteTree(ROOT);
    await observer.ensurePath(ROOT);
    return new Stage(server, relay, observer);
  }

  checks = 0;
  #chapters = 0;
  #clients = [];

  constructor(server, relay, observer) {
    this.server = server;
    /** Between the clients of `connectCut` and the server. */
    this.relay = relay;
    this.root = observer;
    /** Sees what the clients of the tour have done, from a session of its own. */
    this.observer = observer.chroot(ROOT);
  }

  /** Plays a chapter. One that checks nothing is a mistake. */
  async play(title, chapter) {
    const before = this.checks;
    console.log(`\n${++this.#chapters}. ${title}`);
    await chapter(this);
    await Promise.all(this.#clients.splice(0).map((zk) => zk.close()));
    if (this.checks === before) throw new CheckFailed(`the chapter "${title}" has checked nothing`);
  }

  /** A client with a session of its own, as if it were a process of its own. It is closed with the chapter. */
  async connect(options = {}) {
    return this.#connect(this.server.connectString, options);
  }

  /** A client whose connection can be cut, by `stage.relay`. */
  async connectCut(options = {}) {
    return this.#connect(this.relay.connectString, options);
  }

  /** What happens. */
  say(text) {
    console.log(`  ${text}`);
  }

  /** Checks a claim: that a value is the one expected; true, unless told otherwise. */
  check(claim, actual, ...expectedOrTrue) {
    const [expected] = expectedOrTrue.length === 0 ? [true] : expectedOrTrue;
    if (!isDeepStrictEqual(actual, expected))
      throw new CheckFailed(`${claim}: expected ${inspect(expected)}, found ${inspect(actual)}`);
    this.checks++;
    console.log(`    ok  ${claim}`);
  }

  /** Checks a claim that comes true in a moment. */
  async checkSoon(claim, look, expected = true) {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const actual = await look();
      if (isDeepStrictEqual(actual, expected) || performance.now() > deadline) {
        this.check(claim, actual, expected);
        return;
      }
      await pause(20);
    }
  }

  /** The result of a promise, or a failed check if it takes too long. */
  async soon(claim, promise) {
    const ended = new AbortController();
    const late = pause(PATIENCE, undefined, { signal: ended.signal }).then(() => {
      throw new CheckFailed(`${claim}: expected within ${PATIENCE} ms, and did not happen`);
    });
    late.catch(() => undefined);
    try {
      const result = await Promise.race([promise, late]);
      this.check(claim, true);
      return result;
    } finally {
      ended.abort();
    }
  }

  /** Shows a znode and all below it, as they are on the server. */
  async show(path) {
    const paths = [];
    if (await this.observer.has(path)) for await (const each of this.observer.walk(path)) paths.push(each.path);
    if (paths.length === 0) console.log(`    |   ${path}: no such znode`);
    for (const each of paths.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))) await this.#showOne(each);
  }

  async close() {
    await Promise.all(this.#clients.map((zk) => zk.close()));
    // A server of our own goes with its data.
    if (!this.server.own) await this.root.deleteTree(ROOT).catch(() => undefined);
    await this.root.close();
    await this.relay.close();
  }

  async #connect(connectString, options) {
    const zk = await ZooKeeper.connect(`${connectString}${ROOT}`, { connectTimeout: 10_000, ...options });
    this.#clients.push(zk);
    return zk;
  }

  async #showOne(path) {
    const node = await this.observer.getData(path);
    const { stat } = node;
    const data = node.isNull ? 'null' : `'${node.text()}'`;
    const owner = stat.ephemeralOwner.isZero() ? '' : `, of session 0x${stat.ephemeralOwner.toUnsigned().toString(16)}`;
    const line = `    |   ${shorten(path)}  (czxid ${stat.czxid}, version ${stat.version}${owner})`;
    console.log(line.length + data.length < 118 ? `${line}  ${data}` : `${line}\n    |       ${data}`);
  }
}

const uuid = /([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function shorten(path) {
  return path.replace(uuid, '$1..');
}

/** What a path is sorted by: those who stand in line in the order of their numbers. */
function sortKey(path) {
  return path.replace(/_c_[0-9a-f-]{36}-/g, '');
}
