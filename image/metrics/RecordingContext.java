package zookit.metrics;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.metrics.Counter;
import org.apache.zookeeper.metrics.CounterSet;
import org.apache.zookeeper.metrics.Gauge;
import org.apache.zookeeper.metrics.GaugeSet;
import org.apache.zookeeper.metrics.MetricsContext;
import org.apache.zookeeper.metrics.Summary;
import org.apache.zookeeper.metrics.SummarySet;
import org.apache.zookeeper.server.metric.Metric;

/** Passes all on to the context that counts, and remembers what of which kind there is. */
final class RecordingContext implements MetricsContext {
    private static final Map<String, String> QUANTILES = Map.of("p50_", "0.5", "p95_", "0.95", "p99_", "0.99", "p999_", "0.999");

    private final MetricsContext counting;
    private final Map<String, Gauge> gauges = new ConcurrentHashMap<>();
    private final Map<String, GaugeSet> gaugeSets = new ConcurrentHashMap<>();
    private final Map<String, Counter> counters = new ConcurrentHashMap<>();
    private final Map<String, CounterSet> counterSets = new ConcurrentHashMap<>();
    private final Map<String, Summary> summaries = new ConcurrentHashMap<>();
    private final Map<String, SummarySet> summarySets = new ConcurrentHashMap<>();

    RecordingContext(MetricsContext counting) {
        this.counting = counting;
    }

    void writeTo(Exposition text) {
        sorted(gauges).forEach((name, gauge) -> {
            Number value = gauge.get();
            if (value != null) text.type(name, "gauge").sample(name, value);
        });
        sorted(gaugeSets).forEach((name, set) -> {
            text.type(name, "gauge");
            set.values().forEach((key, value) -> {
                if (key != null && value != null) text.sample(name, key(key), value);
            });
        });
        sorted(counters).forEach((name, counter) -> text.type(name, "counter").sample(name, counter.get()));
        sorted(counterSets).forEach((name, set) -> {
            text.type(name, "counter");
            values(set).forEach((field, value) -> text.sample(name, key(keyOf(field, name)), value));
        });
        sorted(summaries).forEach((name, summary) -> {
            text.type(name, "summary");
            values(summary).forEach((field, value) -> part(text, field, name, name, new String[0], value));
        });
        sorted(summarySets).forEach((name, set) -> {
            text.type(name, "summary");
            values(set).forEach((field, value) -> {
                String prefix = field.substring(0, field.indexOf('_') + 1);
                String key = keyOf(field.substring(prefix.length()), name);
                part(text, field, key + "_" + name, name, key(key), value);
            });
        });
    }

    /** One number of a summary: `p99_` and its like are quantiles; of `avg_`, `min_` and `max_` Prometheus knows nothing. */
    private static void part(Exposition text, String field, String fieldName, String name, String[] labels, Number value) {
        String prefix = field.substring(0, field.length() - fieldName.length());
        String quantile = QUANTILES.get(prefix);
        if (quantile != null) {
            String[] all = java.util.Arrays.copyOf(labels, labels.length + 2);
            all[labels.length] = "quantile";
            all[labels.length + 1] = quantile;
            text.sample(name, all, value);
        } else if (prefix.equals("cnt_")) {
            text.sample(name + "_count", labels, value);
        } else if (prefix.equals("sum_")) {
            text.sample(name + "_sum", labels, value);
        }
    }

    private static String[] key(String key) {
        return new String[] {"key", key};
    }

    /** Sets name what they count by `key_name`. */
    private static String keyOf(String field, String name) {
        return field.substring(0, field.length() - name.length() - 1);
    }

    private static Map<String, Number> values(Object metric) {
        Map<String, Number> numbers = new TreeMap<>();
        ((Metric) metric).values().forEach((field, value) -> numbers.put(field, (Number) value));
        return numbers;
    }

    private static <T> Map<String, T> sorted(Map<String, T> metrics) {
        return new TreeMap<>(metrics);
    }

    @Override
    public MetricsContext getContext(String name) {
        return this;
    }

    @Override
    public Counter getCounter(String name) {
        return counters.computeIfAbsent(name, counting::getCounter);
    }

    @Override
    public CounterSet getCounterSet(String name) {
        return counterSets.computeIfAbsent(name, counting::getCounterSet);
    }

    @Override
    public void registerGauge(String name, Gauge gauge) {
        gauges.put(name, gauge);
        counting.registerGauge(name, gauge);
    }

    @Override
    public void unregisterGauge(String name) {
        gauges.remove(name);
        counting.unregisterGauge(name);
    }

    @Override
    public void registerGaugeSet(String name, GaugeSet gaugeSet) {
        gaugeSets.put(name, gaugeSet);
        counting.registerGaugeSet(name, gaugeSet);
    }

    @Override
    public void unregisterGaugeSet(String name) {
        gaugeSets.remove(name);
        counting.unregisterGaugeSet(name);
    }

    @Override
    public Summary getSummary(String name, DetailLevel detail) {
        return summaries.computeIfAbsent(name, known -> counting.getSummary(known, detail));
    }

    @Override
    public SummarySet getSummarySet(String name, DetailLevel detail) {
        return summarySets.computeIfAbsent(name, known -> counting.getSummarySet(known, detail));
    }
}
