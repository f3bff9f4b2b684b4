import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client in a process of its own: one line of JSON in, one out, as bench/clients/driver.mjs has it. `java Driver
 * zookeeper` is the official client, `java Driver curator` has the recipes of Curator.
 */
public final class Driver {
    /** What is to be done: the fields of `open`. */
    record Work(String work, int window, int bytes, int port, String name, int count) {}

    /** A client at work: `start` returns at once, `stop` when nothing is under way. */
    interface Client extends AutoCloseable {
        void start() throws Exception;

        void stop() throws Exception;
    }

    /** Operations that were done, by all threads. */
    static final AtomicLong done = new AtomicLong();

    static volatile boolean running;
    static volatile Throwable failure;

    private static final int KEPT = 1 << 16;
    private static final double[] latencies = new double[KEPT];
    private static final AtomicInteger latencyCount = new AtomicInteger();

    static void addLatency(long nanoseconds) {
        latencies[latencyCount.getAndIncrement() & (KEPT - 1)] = nanoseconds / 1e3;
    }

    static void failed(Throwable cause) {
        failure = cause;
        running = false;
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        Client client = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                String answer = "{}";
                switch (text(line, "command")) {
                    case "open" -> {
                        Work work = new Work(text(line, "work"), number(line, "window", 1), number(line, "bytes", 0),
                            number(line, "port", 0), text(line, "name"), number(line, "count", 0));
                        client = arguments[0].equals("curator") ? Curator.open(work) : Official.open(work);
                    }
                    case "run" -> answer = measure(client, number(line, "warmup", 0), number(line, "measure", 0));
                    default -> {
                        if (client != null) client.close();
                        client = null;
                    }
                }
                System.out.println(answer);
            } catch (Throwable error) {
                System.out.println("{\"error\":\"" + String.valueOf(error).replaceAll("[\"\\\\\\p{Cntrl}]", " ") + "\"}");
            }
        }
        System.exit(0);
    }

    private record Moment(long done, long time, long cpu, long allocated, long collecting) {
        static Moment now() {
            var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long[] byThread = threads.getThreadAllocatedBytes(threads.getAllThreadIds());
            long allocated = Arrays.stream(byThread).filter(each -> each > 0).sum();
            long collecting = 0;
                for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                collecting += collector.getCollectionTime();
            }
            return new Moment(Driver.done.get(), System.nanoTime(), system.getProcessCpuTime(), allocated, collecting);
        }
    }

    private static String measure(Client client, int warmup, int milliseconds) throws Exception {
        running = true;
        failure = null;
        client.start();
        Thread.sleep(warmup);
        latencyCount.set(0);
        Moment begin = Moment.now();
        Thread.sleep(milliseconds);
        Moment end = Moment.now();
        running = false;
        int count = Math.min(KEPT, latencyCount.get());
        double[] sorted = Arrays.copyOf(latencies, count);
        client.stop();
        if (failure != null) throw new IllegalStateException(failure);
        Arrays.sort(sorted);
        String quantiles = count == 0 ? "" : String.format(Locale.ROOT, "\"p50\":%.1f,\"p99\":%.1f,",
            sorted[(int) ((count - 1) * 0.5)], sorted[(int) ((count - 1) * 0.99)]);
        return String.format(Locale.ROOT,
            "{\"operations\":%d,\"seconds\":%.6f,\"cpu\":%d,%s\"heapBytes\":%d,\"collecting\":%d}",
            end.done - begin.done, (end.time - begin.time) / 1e9, (end.cpu - begin.cpu) / 1_000, quantiles,
            end.allocated - begin.allocated, (end.collecting - begin.collecting) * 1_000);
    }

    private static String text(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    private static int number(String json, String name, int otherwise) {
        Matcher found = Pattern.compile("\"" + name + "\":(\\d+)").matcher(json);
        return found.find() ? Integer.parseInt(found.group(1)) : otherwise;
    }
}
