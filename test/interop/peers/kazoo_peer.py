"""kazoo in a process of its own: a command a line of standard input, an answer a line of standard output, both JSON.

It ends with its standard input. Arguments: the connection string, the session timeout in milliseconds.
"""

import datetime
import json
import logging
import os
import queue
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import LockTimeout
from kazoo.recipe.lock import Lock

logging.basicConfig(level=logging.CRITICAL)


def seconds(timeout):
    return timeout / 1000


class CuratorLock(Lock):
    """kazoo's lock with names that Curator puts in one order with its own."""

    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


class Room:
    """The room that those who hold something go into, and see who else is inside: test/interop/room.ts says how."""

    def __init__(self, zk, path):
        self.zk = zk
        self.path = path

    def visit(self, visitor, node):
        inside = f"{self.path}/inside"
        place = self.zk.create(f"{inside}/{visitor}-", ephemeral=True, sequence=True)
        seen = [name.split("-")[0] for name in self.zk.get_children(inside)]
        if visitor == "writer":
            count = f"{self.path}/count"
            before = int(self.zk.get(count)[0])
            self.zk.set(count, str(before + 1).encode())
            self.zk.create(f"{self.path}/log/at-", (node or "").encode(), sequence=True)
        self.zk.delete(place)
        return seen


class Holding:
    """What is taken and given back. Subclasses have `lock`, with kazoo's `acquire` and `release`."""

    zk = None
    lock = None

    def acquire(self, timeout=60_000):
        try:
            return self.lock.acquire(timeout=seconds(timeout))
        except LockTimeout:
            return False

    def release(self):
        self.lock.release()

    def node(self):
        """The name of the znode that stands for it, if it is known."""
        return getattr(self.lock, "node", None)

    def rounds(self, count, room, visitor):
        seen = []
        for _ in range(count):
            if not self.acquire():
                raise TimeoutError("not acquired in a minute")
            try:
                seen.append(Room(self.zk, room).visit(visitor, self.node()))
            finally:
                self.release()
        return seen


class Mutex(Holding):
    """`names`: "kazoo" for kazoo's own, "curator" for `CuratorLock`; `patterns`: who else is waited for."""

    def __init__(self, zk, path, data=None, names="kazoo", patterns=()):
        self.zk = zk
        if names == "curator":
            self.lock = CuratorLock(zk, path, data)
        else:
            self.lock = zk.Lock(path, data, extra_lock_patterns=patterns)

    def participants(self):
        return self.lock.contenders()


class ReadWriteLock(Holding):
    def __init__(self, zk, path, mode, data=None):
        self.zk = zk
        self.lock = (zk.ReadLock if mode == "read" else zk.WriteLock)(path, data)

    def participants(self):
        return self.lock.contenders()


class Semaphore(Holding):
    def __init__(self, zk, path, leases=1, data=None):
        self.zk = zk
        self.lock = zk.Semaphore(path, data, leases)

    def participants(self):
        return self.lock.lease_holders()


class Election:
    """`patterns`: who else is waited for, which kazoo's election has no argument for."""

    def __init__(self, zk, path, data=None, patterns=()):
        self.election = zk.Election(path, data)
        self.election.lock = zk.Lock(path, data, extra_lock_patterns=patterns)
        self.elected = threading.Event()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.election.run, args=(self.lead,), daemon=True)

    def lead(self):
        self.elected.set()
        self.ending.wait()
        self.elected.clear()

    def start(self):
        self.thread.start()

    def is_leader(self):
        return self.elected.is_set()

    def wait(self, timeout=60_000):
        return self.elected.wait(seconds(timeout))

    def participants(self):
        return self.election.contenders()

    def close(self):
        self.ending.set()
        self.election.cancel()
        self.thread.join()


class Barrier:
    def __init__(self, zk, path):
        self.barrier = zk.Barrier(path)

    def set(self):
        self.barrier.create()

    def remove(self):
        return self.barrier.remove()

    def wait(self, timeout=60_000):
        return self.barrier.wait(seconds(timeout))


class DoubleBarrier:
    def __init__(self, zk, path, count):
        self.barrier = zk.DoubleBarrier(path, count)

    def enter(self):
        self.barrier.enter()
        return self.barrier.participating

    def leave(self):
        self.barrier.leave()
        return True


class Counter:
    """`curator`: four bytes, as Curator's SharedCount and DistributedAtomicInteger; else text."""

    def __init__(self, zk, path, curator=False):
        self.counter = zk.Counter(path, support_curator=curator)

    def get(self):
        return str(self.counter.value)

    def add(self, value):
        self.counter += int(value)
        return str(self.counter.post_value)

    def add_many(self, count):
        for _ in range(count):
            self.counter += 1


class Queue:
    def __init__(self, zk, path):
        self.queue = zk.Queue(path)

    def put(self, value, priority=100):
        self.queue.put(value.encode(), priority)

    def take(self):
        item = self.queue.get()
        return None if item is None else item.decode()


class LockingQueue:
    def __init__(self, zk, path):
        self.queue = zk.LockingQueue(path)

    def put(self, value, priority=100):
        self.queue.put(value.encode(), priority)

    def take(self, timeout=60_000):
        item = self.queue.get(seconds(timeout))
        return None if item is None else item.decode()

    def consume(self):
        return self.queue.consume()

    def release(self):
        return self.queue.release()


class Party:
    def __init__(self, zk, path, data=None, shallow=False):
        self.party = (zk.ShallowParty if shallow else zk.Party)(path, data)

    def join(self):
        self.party.join()

    def members(self):
        return sorted(self.party)

    def close(self):
        self.party.leave()


class Lease:
    def __init__(self, zk, path, data=None):
        self.zk = zk
        self.path = path
        self.data = data

    def obtain(self, duration):
        return bool(self.zk.NonBlockingLease(self.path, datetime.timedelta(milliseconds=duration), self.data))


class Partitioner:
    """Takes part from the beginning, and gives back by itself what has to be divided anew."""

    def __init__(self, zk, path, items, data=None, boundary=1_000):
        self.partitioner = zk.SetPartitioner(
            path, set=items, identifier=data, time_boundary=seconds(boundary), max_reaction_time=1
        )
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.ending.is_set() and not self.partitioner.failed:
            if self.partitioner.release:
                self.partitioner.release_set()
            elif self.partitioner.allocating:
                self.partitioner.wait_for_acquire(1)
            else:
                self.ending.wait(0.05)

    def items(self):
        return sorted(self.partitioner) if self.partitioner.acquired else None

    def close(self):
        self.ending.set()
        self.thread.join()
        self.partitioner.finish()


KINDS = {
    "mutex": Mutex,
    "readWriteLock": ReadWriteLock,
    "semaphore": Semaphore,
    "election": Election,
    "barrier": Barrier,
    "doubleBarrier": DoubleBarrier,
    "counter": Counter,
    "queue": Queue,
    "lockingQueue": LockingQueue,
    "party": Party,
    "lease": Lease,
    "partitioner": Partitioner,
}

# The commands whose names are none in Python, or are told in the style of JavaScript.
METHODS = {"isLeader": "is_leader", "await": "wait", "addMany": "add_many"}


class Handle(threading.Thread):
    """One object of kazoo. Its commands run one after the other, on a thread of its own."""

    def __init__(self, zk):
        super().__init__(daemon=True)
        self.zk = zk
        self.requests = queue.Queue()
        self.recipe = None
        self.start()

    def run(self):
        while True:
            request = self.requests.get()
            answer = {"id": request["id"]}
            try:
                answer["result"] = self.call(request["command"], request.get("args", {}))
            except Exception as error:
                answer["error"] = repr(error)
            tell(answer)

    def call(self, command, args):
        if command == "open":
            options = dict(args)
            self.recipe = KINDS[options.pop("kind")](self.zk, options.pop("path"), **options)
            return None
        if command == "close":
            return getattr(self.recipe, "close", lambda: None)()
        options = {"visitor" if name == "as" else name: value for name, value in args.items()}
        return getattr(self.recipe, METHODS.get(command, command))(**options)


telling = threading.Lock()


def tell(answer):
    with telling:
        print(json.dumps(answer), flush=True)


def main():
    servers, timeout = sys.argv[1:]
    zk = KazooClient(servers, timeout=seconds(int(timeout)))
    zk.start(timeout=60)
    handles = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["handle"]
        if name not in handles:
            handles[name] = Handle(zk)
        handles[name].requests.put(request)
    zk.stop()
    # Threads that wait for something are not waited for.
    os._exit(0)


main()
