import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.utils.ZKPaths;

final class Locks {
    private Locks() {}

    static final class Mutex implements Peer.Recipe {
        private static final class Named extends InterProcessMutex {
            Named(CuratorFramework curator, String path) {
                super(curator, path);
            }

            /** The name of the znode of this thread's hold. */
            String node() {
                return ZKPaths.getNodeFromPath(getLockPath());
            }
        }

        private final CuratorFramework curator;
        private final Named mutex;
        private final CountDownLatch revoked = new CountDownLatch(1);

        Mutex(CuratorFramework curator, String path) {
            this.curator = curator;
            this.mutex = new Named(curator, path);
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "acquire":
                    return mutex.acquire(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "release":
                    mutex.release();
                    return null;
                case "node":
                    return mutex.node();
                case "participants":
                    return mutex.getParticipantNodes();
                case "makeRevocable":
                    mutex.makeRevocable(each -> revoked.countDown());
                    return null;
                case "revoked":
                    return revoked.await(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "rounds":
                    return Room.rounds(curator, args, new Room.Holding() {
                        @Override
                        public String take() throws Exception {
                            mutex.acquire();
                            return mutex.node();
                        }

                        @Override
                        public void giveBack() throws Exception {
                            mutex.release();
                        }
                    });
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            while (mutex.isOwnedByCurrentThread()) mutex.release();
        }
    }

    static final class ReadWrite implements Peer.Recipe {
        private final CuratorFramework curator;
        private final InterProcessReadWriteLock lock;

        ReadWrite(CuratorFramework curator, String path) {
            this.curator = curator;
            this.lock = new InterProcessReadWriteLock(curator, path);
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            InterProcessMutex side = args.get("mode").asText().equals("read") ? lock.readLock() : lock.writeLock();
            switch (command) {
                case "acquire":
                    return side.acquire(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "release":
                    side.release();
                    return null;
                case "participants":
                    return side.getParticipantNodes();
                case "rounds":
                    return Room.rounds(curator, args, new Room.Holding() {
                        @Override
                        public String take() throws Exception {
                            side.acquire();
                            return null;
                        }

                        @Override
                        public void giveBack() throws Exception {
                            side.release();
                        }
                    });
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            while (lock.readLock().isOwnedByCurrentThread()) lock.readLock().release();
            while (lock.writeLock().isOwnedByCurrentThread()) lock.writeLock().release();
        }
    }

    static final class Semaphore implements Peer.Recipe {
        private final CuratorFramework curator;
        private final InterProcessSemaphoreV2 semaphore;
        /** Where a count that is shared says how many there are. */
        private final SharedCount count;
        private final Deque<Collection<Lease>> held = new ArrayDeque<>();

        Semaphore(CuratorFramework curator, String path, JsonNode args) throws Exception {
            this.curator = curator;
            int leases = args.path("leases").asInt(1);
            if (args.has("countPath")) {
                count = new SharedCount(curator, args.get("countPath").asText(), leases);
                count.start();
                semaphore = new InterProcessSemaphoreV2(curator, path, count);
            } else {
                count = null;
                semaphore = new InterProcessSemaphoreV2(curator, path, leases);
            }
            if (args.has("data")) semaphore.setNodeData(Peer.bytes(args.get("data").asText()));
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "acquire":
                    int quantity = args.path("quantity").asInt(1);
                    var leases = semaphore.acquire(quantity, Peer.timeout(args), TimeUnit.MILLISECONDS);
                    if (leases != null) held.push(leases);
                    return leases != null;
                case "release":
                    semaphore.returnAll(held.pop());
                    return null;
                case "participants":
                    return semaphore.getParticipantNodes();
                case "rounds":
                    return Room.rounds(curator, args, new Room.Holding() {
                        @Override
                        public String take() throws Exception {
                            Lease lease = semaphore.acquire();
                            held.push(List.of(lease));
                            return lease.getNodeName();
                        }

                        @Override
                        public void giveBack() {
                            semaphore.returnAll(held.pop());
                        }
                    });
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            while (!held.isEmpty()) semaphore.returnAll(held.pop());
            if (count != null) count.close();
        }
    }
}
