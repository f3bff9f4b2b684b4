import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.details.ServiceCacheListener;

/** Follows all services of a registry by Curator's ServiceCache, as bench/services/driver.mjs does by zookit's provider. */
public final class ManyServices {
    private static final AtomicLong seen = new AtomicLong();
    private static final List<AutoCloseable> opened = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                if (line.contains("\"open\"")) System.out.println(open(line));
                else if (line.contains("\"mark\"")) System.out.println(mark());
                else {
                    for (AutoCloseable each : opened) each.close();
                    System.out.println("{}");
                }
            } catch (Throwable error) {
                System.out.println("{\"error\":\"" + String.valueOf(error).replaceAll("[\"\\\\\\p{Cntrl}]", " ") + "\"}");
            }
        }
        System.exit(0);
    }

    private static String open(String line) throws Exception {
        int services = number(line, "services");
        CuratorFramework curator = CuratorFrameworkFactory.newClient(
            "127.0.0.1:" + number(line, "port") + "/bench/app", 30_000, 15_000, new RetryOneTime(100));
        curator.start();
        curator.blockUntilConnected();
        ServiceDiscovery<Map> discovery =
            ServiceDiscoveryBuilder.builder(Map.class).client(curator).basePath(text(line, "basePath")).build();
        discovery.start();
        long before = held();
        long cpu = processorTime();
        long begin = System.nanoTime();
        List<ServiceCache<Map>> caches = new ArrayList<>();
        List<CountDownLatch> latches = new ArrayList<>();
        for (int index = 0; index < services; index++) {
            ServiceCache<Map> cache = discovery.serviceCacheBuilder().name("service-" + index).build();
            latches.add(cache.startImmediate());
            caches.add(cache);
        }
        for (CountDownLatch latch : latches) latch.await();
        double load = (System.nanoTime() - begin) / 1e6;
        long loadCpu = processorTime() - cpu;
        int count = caches.stream().mapToInt(cache -> cache.getInstances().size()).sum();
        if (count != services * number(line, "instances")) throw new IllegalStateException(count + " instances were found");
        long after = held();
        for (ServiceCache<Map> cache : caches) {
            cache.addListener(new ServiceCacheListener() {
                @Override
                public void cacheChanged() {
                    seen.incrementAndGet();
                }

                @Override
                public void stateChanged(CuratorFramework client, ConnectionState state) {
                }
            });
        }
        opened.addAll(caches);
        opened.add(discovery);
        opened.add(curator);
        return String.format(Locale.ROOT, "{\"load\":%.1f,\"loadCpu\":%d,\"heap\":%d,\"buffers\":0}",
            load, loadCpu, after - before);
    }

    private static String mark() {
        return "{\"cpu\":" + processorTime() + ",\"seen\":" + seen.get() + "}";
    }

    /** Microseconds. */
    private static long processorTime() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1_000;
    }

    /** Bytes of what is alive. */
    private static long held() {
        System.gc();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static String text(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    private static int number(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":(\\d+)").matcher(json);
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }
}
