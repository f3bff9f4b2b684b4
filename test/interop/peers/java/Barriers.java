import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;

final class Barriers {
    private Barriers() {}

    static final class Gate implements Peer.Recipe {
        private final DistributedBarrier barrier;

        Gate(CuratorFramework curator, String path) {
            barrier = new DistributedBarrier(curator, path);
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "set":
                    barrier.setBarrier();
                    return null;
                case "remove":
                    barrier.removeBarrier();
                    return null;
                case "wait":
                    return barrier.waitOnBarrier(Peer.timeout(args), TimeUnit.MILLISECONDS);
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() {}
    }

    static final class Meeting implements Peer.Recipe {
        private final DistributedDoubleBarrier barrier;

        Meeting(CuratorFramework curator, String path, JsonNode args) {
            barrier = new DistributedDoubleBarrier(curator, path, args.get("count").asInt());
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "enter":
                    return barrier.enter(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "leave":
                    return barrier.leave(Peer.timeout(args), TimeUnit.MILLISECONDS);
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() {}
    }
}
