package zookit.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import org.apache.zookeeper.metrics.MetricsContext;
import org.apache.zookeeper.metrics.MetricsProvider;
import org.apache.zookeeper.metrics.MetricsProviderLifeCycleException;
import org.apache.zookeeper.metrics.impl.DefaultMetricsProvider;

/**
 * Serves the server's metrics at /metrics as Prometheus reads them. Debian does not package ZooKeeper's own provider for
 * that; names, labels and the settings httpHost, httpPort and exportJvmInfo are as there, so dashboards made for it fit. What
 * is counted, and what `mntr` tells, is left to the default provider.
 */
public final class PrometheusMetrics implements MetricsProvider {
    private final MetricsProvider counting = new DefaultMetricsProvider();
    private final RecordingContext context = new RecordingContext(counting.getRootContext());
    private String host = "0.0.0.0";
    private int port = 7000;
    private boolean withJvm = true;
    private HttpServer http;
    private ExecutorService thread;

    @Override
    public void configure(Properties settings) throws MetricsProviderLifeCycleException {
        host = settings.getProperty("httpHost", host);
        try {
            port = Integer.parseInt(settings.getProperty("httpPort", String.valueOf(port)));
        } catch (NumberFormatException error) {
            throw new MetricsProviderLifeCycleException("metricsProvider.httpPort is no number", error);
        }
        withJvm = Boolean.parseBoolean(settings.getProperty("exportJvmInfo", "true"));
        counting.configure(settings);
    }

    @Override
    public void start() throws MetricsProviderLifeCycleException {
        counting.start();
        try {
            http = HttpServer.create(new InetSocketAddress(host, port), 0);
        } catch (IOException error) {
            throw new MetricsProviderLifeCycleException("cannot serve metrics on " + host + ":" + port, error);
        }
        thread = Executors.newSingleThreadExecutor(run -> {
            Thread named = new Thread(run, "metrics");
            named.setDaemon(true);
            return named;
        });
        http.setExecutor(thread);
        http.createContext("/metrics", this::answer);
        http.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!exchange.getRequestMethod().equals("GET") || !exchange.getRequestURI().getPath().equals("/metrics")) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            Exposition text = new Exposition();
            context.writeTo(text);
            if (withJvm) JvmMetrics.writeTo(text);
            byte[] body = text.toString().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public MetricsContext getRootContext() {
        return context;
    }

    @Override
    public void stop() {
        if (http != null) {
            http.stop(0);
            thread.shutdown();
        }
        counting.stop();
    }

    @Override
    public void dump(BiConsumer<String, Object> sink) {
        counting.dump(sink);
    }

    @Override
    public void resetAllValues() {
        counting.resetAllValues();
    }
}
