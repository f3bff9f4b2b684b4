"""kazoo in a process of its own: one line of JSON in, one out, as bench/clients/driver.mjs has it."""

import json
import logging
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.recipe.watchers import DataWatch

logging.basicConfig(level=logging.CRITICAL)

CHROOT = "/bench/app"
SIZES = [0, 100, 10_000, 1_000_000]
MULTI = 10


class Client:
    """One work on one session: chains of asynchronous calls, or threads where a recipe blocks."""

    def __init__(self, work):
        self.work = work
        self.window = work["window"]
        self.value = bytes(32 + index % 95 for index in range(work.get("bytes", 0)))
        self.zk = KazooClient(f"127.0.0.1:{work['port']}{CHROOT}", timeout=30)
        self.zk.start(timeout=10)
        self.lock = threading.Lock()
        self.running = False
        self.failure = None
        self.done = 0
        self.latencies = []
        self.version = 0
        self.threads = []
        self.told = threading.Semaphore(0)
        if work["work"] == "fanout":
            for _ in range(work["count"]):
                DataWatch(self.zk, "/config", lambda data, stat: self.told.release())

    def start(self):
        self.running = True
        self.under_way = self.window
        self.idle = threading.Event()
        kind = self.work["work"]
        if kind in ("mutex", "fanout"):
            step = {"mutex": self.mutex, "fanout": self.fanout}[kind]
            self.threads = [threading.Thread(target=self.loop, args=(step(),)) for _ in range(self.window)]
            for thread in self.threads:
                thread.start()
        else:
            for index in range(self.window):
                self.chain(getattr(self, kind)(index))

    def stop(self):
        self.running = False
        if self.threads:
            for thread in self.threads:
                thread.join()
        else:
            self.idle.wait()
        if self.failure is not None:
            raise self.failure

    def close(self):
        self.zk.stop()
        self.zk.close()

    def chain(self, ask):
        """`ask(answered)` sends one operation; its answer asks for the next one."""
        timed = True if self.window == 1 else None
        count = 0

        def following():
            nonlocal sent, count
            count += 1
            sent = time.perf_counter() if timed or count & 15 == 0 else None
            ask(answered)

        def answered(result):
            if result.exception is not None:
                self.failure = result.exception
                self.running = False
            elif sent is not None:
                self.latencies.append((time.perf_counter() - sent) / operations)
            self.done += operations
            if self.running:
                following()
                return
            with self.lock:
                self.under_way -= 1
                if self.under_way == 0:
                    self.idle.set()

        sent = None
        operations = 2 if self.work["work"] == "create" else 1
        following()

    def loop(self, step):
        try:
            while self.running:
                begin = time.perf_counter()
                step()
                self.latencies.append(time.perf_counter() - begin)
                with self.lock:
                    self.done += 1
        except Exception as error:
            self.failure = error
            self.running = False

    def sized(self, letter):
        return f"/{letter}{SIZES.index(self.work['bytes'])}"

    def get(self, _):
        path = self.sized("v")
        return lambda answered: self.zk.get_async(path).rawlink(answered)

    def exists(self, _):
        path = self.sized("v")
        return lambda answered: self.zk.exists_async(path).rawlink(answered)

    def set(self, _):
        path = self.sized("s")
        return lambda answered: self.zk.set_async(path, self.value).rawlink(answered)

    def create(self, index):
        path = f"/c-{self.work['name']}-{index:04d}"

        def ask(answered):
            def created(result):
                if result.exception is not None:
                    answered(result)
                else:
                    self.zk.delete_async(path).rawlink(answered)

            self.zk.create_async(path, self.value).rawlink(created)

        return ask

    def children(self, _):
        return lambda answered: self.zk.get_children_async("/kc").rawlink(answered)

    def multi(self, _):
        def ask(answered):
            transaction = self.zk.transaction()
            for index in range(MULTI):
                transaction.set_data(f"/m-{index}", self.value)
            transaction.commit_async().rawlink(answered)

        return ask

    def watch(self, index):
        path = f"/w-{self.work['name']}-{index:04d}w"

        def ask(answered):
            # The event may come before the answer to the write, and does.
            missing = [2]
            kept = []

            def part(result=None):
                with self.lock:
                    missing[0] -= 1
                    if result is not None:
                        kept.append(result)
                    last = missing[0] == 0
                if last:
                    answered(kept[0])

            def read(result):
                if result.exception is not None:
                    answered(result)
                else:
                    self.zk.set_async(path, self.value).rawlink(part)

            self.zk.get_async(path, watch=lambda event: part()).rawlink(read)

        return ask

    def mutex(self):
        lock = self.zk.Lock(f"/locks/{self.work['name']}")

        def step():
            lock.acquire()
            lock.release()

        return step

    def fanout(self):
        def step():
            while self.told.acquire(blocking=False):
                pass
            self.version += 1
            self.zk.set("/config", json.dumps({"version": self.version}).encode())
            for _ in range(self.work["count"]):
                self.told.acquire()

        return step


def measure(client, warmup, milliseconds):
    client.start()
    time.sleep(warmup / 1000)
    client.latencies = []
    begin = (client.done, time.perf_counter(), time.process_time())
    time.sleep(milliseconds / 1000)
    end = (client.done, time.perf_counter(), time.process_time())
    latencies = sorted(client.latencies)
    client.stop()
    answer = {
        "operations": end[0] - begin[0],
        "seconds": end[1] - begin[1],
        "cpu": round((end[2] - begin[2]) * 1e6),
    }
    if latencies:
        for name, part in (("p50", 0.5), ("p99", 0.99)):
            answer[name] = latencies[int((len(latencies) - 1) * part)] * 1e6
    return answer


def main():
    client = None
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop("command")
        try:
            answer = {}
            if command == "open":
                client = Client(request)
            elif command == "run":
                answer = measure(client, request["warmup"], request["measure"])
            elif client is not None:
                client.close()
                client = None
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


main()
