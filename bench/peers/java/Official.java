import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** The official Java client, by its asynchronous methods: each answer asks for the next one, on its own thread. */
final class Official implements Driver.Client {
    private static final String CHROOT = "/bench/app";
    private static final int MULTI = 10;
    private static final int[] SIZES = {0, 100, 10_000, 1_000_000};

    private final ZooKeeper zk;
    private final Driver.Work work;
    private final byte[] value;
    private final Phaser underWay = new Phaser(1);
    private final AtomicInteger asked = new AtomicInteger();
    private final int mask;

    private Official(ZooKeeper zk, Driver.Work work) {
        this.zk = zk;
        this.work = work;
        this.mask = work.window() == 1 ? 0 : 15;
        this.value = new byte[work.bytes()];
        for (int index = 0; index < value.length; index++) value[index] = (byte) (32 + index % 95);
    }

    static Official open(Driver.Work work) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper zk = new ZooKeeper("127.0.0.1:" + work.port() + CHROOT, 30_000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
        });
        connected.await();
        return new Official(zk, work);
    }

    @Override
    public void start() {
        for (int index = 0; index < work.window(); index++) {
            underWay.register();
            new Place(index).next();
        }
    }

    @Override
    public void stop() {
        underWay.arriveAndAwaitAdvance();
    }

    @Override
    public void close() throws Exception {
        zk.close();
    }

    private String sized(String letter) {
        for (int index = 0; index < SIZES.length; index++) if (SIZES[index] == work.bytes()) return "/" + letter + index;
        throw new IllegalArgumentException("no value of " + work.bytes() + " bytes");
    }

    /** One place of the window. */
    private final class Place {
        private final int index;
        private final String path;
        private final int operations;
        private long sent;
        private boolean timed;

        Place(int index) {
            this.index = index;
            this.operations = work.work().equals("create") ? 2 : 1;
            this.path = switch (work.work()) {
                case "get", "exists" -> sized("v");
                case "set" -> sized("s");
                case "create" -> String.format("/c-%s-%04d", work.name(), index);
                case "children" -> "/kc";
                case "watch" -> String.format("/w-%s-%04dw", work.name(), index);
                default -> "/m-";
            };
        }

        void next() {
            timed = (asked.getAndIncrement() & mask) == 0;
            if (timed) sent = System.nanoTime();
            ask();
        }

        private void answered(int code) {
            if (code != 0) Driver.failed(new IllegalStateException("code " + code + " of " + work.work()));
            if (timed) Driver.addLatency((System.nanoTime() - sent) / operations);
            Driver.done.addAndGet(operations);
            if (Driver.running) next();
            else underWay.arriveAndDeregister();
        }

        private void ask() {
            switch (work.work()) {
                case "get" -> zk.getData(path, false, (code, path, context, data, stat) -> answered(code), null);
                case "exists" -> zk.exists(path, false, (code, path, context, stat) -> answered(code), null);
                case "set" -> zk.setData(path, value, -1, (code, path, context, stat) -> answered(code), null);
                case "create" -> {
                    CreateMode mode = CreateMode.PERSISTENT;
                    zk.create(path, value, ZooDefs.Ids.OPEN_ACL_UNSAFE, mode, (code, path, context, name) -> {
                        if (code != 0) answered(code);
                        else zk.delete(this.path, -1, (deleted, same, unused) -> answered(deleted), null);
                    }, null);
                }
                case "children" -> zk.getChildren(path, false, (code, path, context, children) -> answered(code), null);
                case "multi" -> {
                    List<Op> operations = new ArrayList<>(MULTI);
                    for (int each = 0; each < MULTI; each++) operations.add(Op.setData(path + each, value, -1));
                    zk.multi(operations, (code, path, context, results) -> answered(code), null);
                }
                case "watch" -> {
                    // The event may come before the answer to the write, and does.
                    AtomicInteger missing = new AtomicInteger(2);
                    zk.getData(path, event -> {
                        if (missing.decrementAndGet() == 0) answered(0);
                    }, (code, path, context, data, stat) -> {
                        if (code != 0) answered(code);
                        else zk.setData(this.path, value, -1, (set, same, unused, written) -> {
                            if (set != 0) answered(set);
                            else if (missing.decrementAndGet() == 0) answered(0);
                        }, null);
                    }, null);
                }
                default -> throw new IllegalArgumentException(work.work());
            }
        }
    }
}
