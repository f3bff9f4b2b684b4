import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedIdQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.MultiItem;
import org.apache.curator.framework.recipes.queue.QueueBase;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.state.ConnectionState;

final class Queues {
    private Queues() {}

    private static final QueueSerializer<String> TEXT = new QueueSerializer<>() {
        @Override
        public byte[] serialize(String item) {
            return Peer.bytes(item);
        }

        @Override
        public String deserialize(byte[] bytes) {
            return Peer.text(bytes);
        }
    };

    /** How an item is put, which each kind of queue does in its own way. */
    private interface Put {
        void put(String item, JsonNode args) throws Exception;
    }

    /** `consumes`: takes what comes, whether it is asked for it or not. `lockPath`: an item comes back from who fails. */
    static Peer.Recipe open(CuratorFramework curator, String kind, String path, JsonNode args) throws Exception {
        BlockingQueue<String> taken = new LinkedBlockingQueue<>();
        QueueBuilder<String> builder = QueueBuilder.builder(
            curator, args.path("consumes").asBoolean() ? into(taken) : null, TEXT, path).putInBackground(false);
        if (args.has("lockPath")) builder.lockPath(args.get("lockPath").asText());
        switch (kind) {
            case "priorityQueue": {
                DistributedPriorityQueue<String> queue = builder.buildPriorityQueue(1);
                return new Kind(queue, taken, (item, given) -> queue.put(item, given.get("priority").asInt()));
            }
            case "delayQueue": {
                DistributedDelayQueue<String> queue = builder.buildDelayQueue();
                return new Kind(queue, taken, (item, given) -> queue.put(item, given.get("due").asLong()));
            }
            case "idQueue": {
                DistributedIdQueue<String> queue = builder.buildIdQueue();
                return new Kind(queue, taken, (item, given) -> queue.put(item, given.get("itemId").asText()));
            }
            default: {
                DistributedQueue<String> queue = builder.buildQueue();
                return new Kind(queue, taken, (item, given) -> {
                    if (given.has("values")) queue.putMulti(several(given.get("values")));
                    else queue.put(item);
                });
            }
        }
    }

    private static QueueConsumer<String> into(BlockingQueue<String> taken) {
        return new QueueConsumer<>() {
            @Override
            public void consumeMessage(String item) {
                taken.add(item);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {}
        };
    }

    /** Several items in one znode. */
    private static MultiItem<String> several(JsonNode values) {
        List<String> items = new ArrayList<>();
        values.forEach(each -> items.add(each.asText()));
        Iterator<String> rest = items.iterator();
        return () -> rest.hasNext() ? rest.next() : null;
    }

    private static final class Kind implements Peer.Recipe {
        private final QueueBase<String> queue;
        private final BlockingQueue<String> taken;
        private final Put put;

        Kind(QueueBase<String> queue, BlockingQueue<String> taken, Put put) throws Exception {
            this.queue = queue;
            this.taken = taken;
            this.put = put;
            queue.start();
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "put":
                    put.put(args.path("value").asText(), args);
                    return null;
                case "take":
                    return taken.poll(Peer.timeout(args), TimeUnit.MILLISECONDS);
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            queue.close();
        }
    }

    static final class Simple implements Peer.Recipe {
        private final SimpleDistributedQueue queue;

        Simple(CuratorFramework curator, String path) {
            queue = new SimpleDistributedQueue(curator, path);
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "put":
                    return queue.offer(Peer.bytes(args.get("value").asText()));
                case "take":
                    byte[] item = queue.poll(Peer.timeout(args), TimeUnit.MILLISECONDS);
                    return item == null ? null : Peer.text(item);
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() {}
    }
}
