import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;

final class Leaders {
    private Leaders() {}

    private static List<Map<String, Object>> shown(Collection<Participant> participants) {
        return participants.stream()
            .map(each -> Map.<String, Object>of("id", each.getId(), "isLeader", each.isLeader()))
            .toList();
    }

    static final class Latch implements Peer.Recipe {
        private final LeaderLatch latch;

        Latch(CuratorFramework curator, String path, JsonNode args) {
            latch = new LeaderLatch(curator, path, args.path("data").asText());
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "start":
                    latch.start();
                    return null;
                case "isLeader":
                    return latch.hasLeadership();
                case "await":
                    return latch.await(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "participants":
                    return shown(latch.getParticipants());
                case "leader":
                    return latch.getLeader().getId();
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            if (latch.getState() == LeaderLatch.State.STARTED) latch.close();
        }
    }

    static final class Selector implements Peer.Recipe {
        private final LeaderSelector selector;
        private volatile CountDownLatch taken = new CountDownLatch(1);
        private volatile CountDownLatch yielded = new CountDownLatch(1);

        Selector(CuratorFramework curator, String path, JsonNode args) {
            selector = new LeaderSelector(curator, path, new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework client) throws Exception {
                    taken.countDown();
                    yielded.await();
                }
            });
            if (args.path("requeue").asBoolean()) selector.autoRequeue();
            if (args.has("data")) selector.setId(args.get("data").asText());
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "start":
                    selector.start();
                    return null;
                case "isLeader":
                    return selector.hasLeadership();
                case "await":
                    return taken.await(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "yield":
                    CountDownLatch ending = yielded;
                    taken = new CountDownLatch(1);
                    yielded = new CountDownLatch(1);
                    ending.countDown();
                    return null;
                case "participants":
                    return shown(selector.getParticipants());
                case "leader":
                    return selector.getLeader().getId();
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() {
            selector.close();
        }
    }
}
