import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.CreateMode;

/** The room that those who hold something go into, and see who else is inside: test/interop/room.ts says how. */
final class Room {
    /** What is taken before the room is entered, and given back after it. */
    interface Holding {
        /** Gives the name of the znode that stands for it, if that can be known. */
        String take() throws Exception;

        void giveBack() throws Exception;
    }

    private Room() {}

    /** Gives for each round who was inside. */
    static List<List<String>> rounds(CuratorFramework curator, JsonNode args, Holding holding) throws Exception {
        List<List<String>> seen = new ArrayList<>();
        for (int round = args.get("count").asInt(); round > 0; round--) {
            String node = holding.take();
            try {
                seen.add(visit(curator, args.get("room").asText(), args.get("as").asText(), node));
            } finally {
                holding.giveBack();
            }
        }
        return seen;
    }

    private static List<String> visit(CuratorFramework curator, String room, String as, String node) throws Exception {
        String inside = room + "/inside";
        String place = curator.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(inside + "/" + as + "-");
        List<String> seen = curator.getChildren().forPath(inside).stream().map(name -> name.split("-")[0]).toList();
        if (as.equals("writer")) {
            String count = room + "/count";
            int before = Integer.parseInt(Peer.text(curator.getData().forPath(count)));
            curator.setData().forPath(count, Peer.bytes(String.valueOf(before + 1)));
            byte[] holder = Peer.bytes(node == null ? "" : node);
            curator.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(room + "/log/at-", holder);
        }
        curator.delete().forPath(place);
        return seen;
    }
}
