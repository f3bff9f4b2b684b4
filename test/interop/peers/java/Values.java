import com.fasterxml.jackson.databind.JsonNode;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicNumber;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.retry.RetryNTimes;

/** Numbers go as text: those of 64 bits are more than JavaScript's numbers can hold. */
final class Values {
    private Values() {}

    static Peer.Recipe atomicLong(CuratorFramework curator, String path) {
        return new Atomic<>(new DistributedAtomicLong(curator, path, new RetryNTimes(1_000, 5)), Long::valueOf);
    }

    static Peer.Recipe atomicInteger(CuratorFramework curator, String path) {
        return new Atomic<>(new DistributedAtomicInteger(curator, path, new RetryNTimes(1_000, 5)), Integer::valueOf);
    }

    private static final class Atomic<T> implements Peer.Recipe {
        private final DistributedAtomicNumber<T> number;
        private final Function<String, T> parse;

        Atomic(DistributedAtomicNumber<T> number, Function<String, T> parse) {
            this.number = number;
            this.parse = parse;
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "get":
                    return after(number.get());
                case "set":
                    number.forceSet(given(args, "value"));
                    return null;
                case "add":
                    return after(number.add(given(args, "value")));
                case "addMany":
                    for (int count = args.get("count").asInt(); count > 0; count--) after(number.increment());
                    return null;
                case "compareAndSet":
                    return number.compareAndSet(given(args, "expected"), given(args, "value")).succeeded();
                default:
                    throw Peer.unknown(command);
            }
        }

        private T given(JsonNode args, String name) {
            return parse.apply(args.get(name).asText());
        }

        private String after(AtomicValue<T> value) {
            if (!value.succeeded()) throw new IllegalStateException("too many others");
            return value.postValue().toString();
        }

        @Override
        public void close() {}
    }

    static final class Count implements Peer.Recipe {
        private final SharedCount count;

        Count(CuratorFramework curator, String path, JsonNode args) throws Exception {
            count = new SharedCount(curator, path, args.path("seed").asInt());
            count.start();
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "get":
                    return count.getCount();
                case "set":
                    count.setCount(args.get("value").asInt());
                    return null;
                case "trySet":
                    return count.trySetCount(count.getVersionedValue(), args.get("value").asInt());
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            count.close();
        }
    }

    static final class Text implements Peer.Recipe {
        private final SharedValue value;

        Text(CuratorFramework curator, String path, JsonNode args) throws Exception {
            value = new SharedValue(curator, path, Peer.bytes(args.path("seed").asText()));
            value.start();
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "get":
                    return Peer.text(value.getValue());
                case "set":
                    value.setValue(Peer.bytes(args.get("value").asText()));
                    return null;
                case "trySet":
                    return value.trySetValue(value.getVersionedValue(), Peer.bytes(args.get("value").asText()));
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            value.close();
        }
    }
}
