import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceProvider;

/** The recipes of Apache Curator: as many threads as there are contenders, each in a loop. */
final class Curator implements Driver.Client {
    /** What a thread does again and again; it says how many operations that was. */
    private interface Step {
        int run() throws Exception;
    }

    private final Driver.Work work;
    private final CuratorFramework curator;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private ServiceDiscovery<Void> discovery;
    private ServiceProvider<Void> provider;
    private final Semaphore told = new Semaphore(0);
    private int version;

    private Curator(Driver.Work work, CuratorFramework curator) {
        this.work = work;
        this.curator = curator;
    }

    static Curator open(Driver.Work work) throws Exception {
        CuratorFramework framework = CuratorFrameworkFactory.newClient(
            "127.0.0.1:" + work.port() + "/bench/app", 30_000, 15_000, new RetryOneTime(100));
        framework.start();
        framework.blockUntilConnected();
        Curator client = new Curator(work, framework);
        client.prepare();
        return client;
    }

    private void prepare() throws Exception {
        if (work.work().equals("list") || work.work().equals("pick")) {
            discovery = ServiceDiscoveryBuilder.builder(Void.class).client(curator).basePath("/services").build();
            discovery.start();
            provider = discovery.serviceProviderBuilder().serviceName("cart").build();
            provider.start();
            opened.add(provider);
            opened.add(discovery);
        }
        if (work.work().equals("fanout")) {
            for (int index = 0; index < work.count(); index++) {
                NodeCache cache = new NodeCache(curator, "/config");
                cache.start(true);
                cache.getListenable().addListener(told::release);
                opened.add(cache);
            }
        }
    }

    private Step stepOf() {
        return switch (work.work()) {
            case "mutex" -> {
                InterProcessMutex mutex = new InterProcessMutex(curator, "/locks/" + work.name());
                yield () -> {
                    mutex.acquire();
                    mutex.release();
                    return 1;
                };
            }
            case "list" -> () -> {
                if (discovery.queryForInstances("cart").size() != work.count())
                    throw new IllegalStateException("not all listed");
                return 1;
            };
            case "pick" -> () -> {
                for (int index = 0; index < 1_000; index++) {
                    if (provider.getInstance() == null) throw new IllegalStateException("none");
                }
                return 1_000;
            };
            case "fanout" -> () -> {
                told.drainPermits();
                String config = "{\"version\":" + ++version + "}";
                curator.setData().forPath("/config", config.getBytes(StandardCharsets.UTF_8));
                told.acquire(work.count());
                return 1;
            };
            default -> throw new IllegalArgumentException(work.work());
        };
    }

    @Override
    public void start() {
        threads.clear();
        for (int index = 0; index < work.window(); index++) {
            Step step = stepOf();
            Thread thread = new Thread(() -> {
                try {
                    while (Driver.running) {
                        long begin = System.nanoTime();
                        int operations = step.run();
                        Driver.addLatency((System.nanoTime() - begin) / operations);
                        Driver.done.addAndGet(operations);
                    }
                } catch (Throwable error) {
                    Driver.failed(error);
                }
            });
            threads.add(thread);
            thread.start();
        }
    }

    @Override
    public void stop() throws Exception {
        for (Thread thread : threads) thread.join();
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : opened) each.close();
        curator.close();
    }
}
