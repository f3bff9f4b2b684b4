import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.retry.RetryNTimes;

/**
 * Curator in a process of its own: a command a line of standard input, an answer a line of standard output, both JSON.
 * It ends with its standard input. Arguments: the connection string, the session timeout in milliseconds.
 */
public final class Peer {
    /** An object of Curator. Its commands run one after the other on a thread of its own: a lock belongs to a thread. */
    interface Recipe extends AutoCloseable {
        Object call(String command, JsonNode args) throws Exception;
    }

    private static final ObjectMapper json = new ObjectMapper();

    private final CuratorFramework curator;
    private final Map<String, ExecutorService> threads = new HashMap<>();
    private final Map<String, Recipe> recipes = new HashMap<>();

    private Peer(CuratorFramework curator) {
        this.curator = curator;
    }

    public static void main(String[] arguments) throws Exception {
        CuratorFramework curator = CuratorFrameworkFactory.newClient(
            arguments[0], Integer.parseInt(arguments[1]), 15_000, new RetryNTimes(50, 100));
        curator.start();
        curator.blockUntilConnected();
        Peer peer = new Peer(curator);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) peer.take(json.readTree(line));
        curator.close();
        // Threads that wait for something are not waited for.
        Runtime.getRuntime().halt(0);
    }

    /** Milliseconds to wait at most. */
    static long timeout(JsonNode args) {
        return args.path("timeout").asLong(60_000);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void take(JsonNode request) {
        String handle = request.path("handle").asText();
        ExecutorService thread = threads.computeIfAbsent(handle, name -> Executors.newSingleThreadExecutor());
        thread.execute(() -> {
            ObjectNode answer = json.createObjectNode().put("id", request.get("id").asInt());
            try {
                answer.set("result", json.valueToTree(run(handle, request)));
            } catch (Throwable error) {
                answer.put("error", String.valueOf(error));
            }
            tell(answer);
        });
    }

    private static synchronized void tell(ObjectNode answer) {
        System.out.println(answer);
    }

    private Object run(String handle, JsonNode request) throws Exception {
        String command = request.get("command").asText();
        JsonNode args = request.has("args") ? request.get("args") : MissingNode.getInstance();
        switch (command) {
            case "open" -> {
                Recipe recipe = open(args.get("kind").asText(), args.get("path").asText(), args);
                synchronized (recipes) {
                    recipes.put(handle, recipe);
                }
                return null;
            }
            case "close" -> {
                recipe(handle).close();
                return null;
            }
            case "revoke" -> {
                Revoker.attemptRevoke(curator, args.get("path").asText());
                return null;
            }
            default -> {
                return recipe(handle).call(command, args);
            }
        }
    }

    private Recipe recipe(String handle) {
        synchronized (recipes) {
            return recipes.get(handle);
        }
    }

    private Recipe open(String kind, String path, JsonNode args) throws Exception {
        return switch (kind) {
            case "mutex" -> new Locks.Mutex(curator, path);
            case "readWriteLock" -> new Locks.ReadWrite(curator, path);
            case "semaphore" -> new Locks.Semaphore(curator, path, args);
            case "leaderLatch" -> new Leaders.Latch(curator, path, args);
            case "leaderSelector" -> new Leaders.Selector(curator, path, args);
            case "barrier" -> new Barriers.Gate(curator, path);
            case "doubleBarrier" -> new Barriers.Meeting(curator, path, args);
            case "atomicLong" -> Values.atomicLong(curator, path);
            case "atomicInteger" -> Values.atomicInteger(curator, path);
            case "sharedCount" -> new Values.Count(curator, path, args);
            case "sharedValue" -> new Values.Text(curator, path, args);
            case "queue", "priorityQueue", "delayQueue", "idQueue" -> Queues.open(curator, kind, path, args);
            case "simpleQueue" -> new Queues.Simple(curator, path);
            case "groupMember" -> new Members.Group(curator, path, args);
            case "persistentNode" -> new Members.Node(curator, path, args);
            case "serviceDiscovery" -> new Services(curator, path, args);
            default -> throw new IllegalArgumentException("no recipe " + kind);
        };
    }

    static IllegalArgumentException unknown(String command) {
        return new IllegalArgumentException("no command " + command);
    }
}
