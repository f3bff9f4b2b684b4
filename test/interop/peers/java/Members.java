import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.zookeeper.CreateMode;

final class Members {
    private Members() {}

    static final class Group implements Peer.Recipe {
        private final GroupMember member;

        Group(CuratorFramework curator, String path, JsonNode args) {
            byte[] data = Peer.bytes(args.path("data").asText());
            member = new GroupMember(curator, path, args.get("memberId").asText(), data);
            member.start();
        }

        @Override
        public Object call(String command, JsonNode args) {
            switch (command) {
                case "members":
                    Map<String, String> members = new TreeMap<>();
                    member.getCurrentMembers().forEach((id, data) -> members.put(id, Peer.text(data)));
                    return members;
                case "setData":
                    member.setThisData(Peer.bytes(args.get("data").asText()));
                    return null;
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() {
            member.close();
        }
    }

    static final class Node implements Peer.Recipe {
        private final PersistentNode node;

        Node(CuratorFramework curator, String path, JsonNode args) throws Exception {
            CreateMode mode = CreateMode.valueOf(args.path("mode").asText("EPHEMERAL"));
            byte[] data = Peer.bytes(args.path("data").asText());
            node = new PersistentNode(curator, mode, args.path("protects").asBoolean(), path, data);
            node.start();
        }

        @Override
        public Object call(String command, JsonNode args) throws Exception {
            switch (command) {
                case "created":
                    return node.waitForInitialCreate(Peer.timeout(args), TimeUnit.MILLISECONDS);
                case "path":
                    return node.getActualPath();
                case "setData":
                    node.setData(Peer.bytes(args.get("data").asText()));
                    return null;
                default:
                    throw Peer.unknown(command);
            }
        }

        @Override
        public void close() throws Exception {
            node.close();
        }
    }
}
