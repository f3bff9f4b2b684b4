package zookit.metrics;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;

/** The Java runtime in the names that Prometheus' own client for Java gives them. */
final class JvmMetrics {
    private JvmMetrics() {}

    static void writeTo(Exposition text) {
        memory(text);
        text.type("jvm_gc_collection_seconds", "summary");
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            String[] labels = {"gc", collector.getName()};
            text.sample("jvm_gc_collection_seconds_count", labels, collector.getCollectionCount());
            text.sample("jvm_gc_collection_seconds_sum", labels, collector.getCollectionTime() / 1e3);
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        gauge(text, "jvm_threads_current", threads.getThreadCount());
        gauge(text, "jvm_threads_daemon", threads.getDaemonThreadCount());
        gauge(text, "jvm_threads_peak", threads.getPeakThreadCount());
        gauge(text, "process_start_time_seconds", ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean) {
            UnixOperatingSystemMXBean system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            text.type("process_cpu_seconds_total", "counter")
                .sample("process_cpu_seconds_total", system.getProcessCpuTime() / 1e9);
            gauge(text, "process_open_fds", system.getOpenFileDescriptorCount());
            gauge(text, "process_max_fds", system.getMaxFileDescriptorCount());
        }
    }

    private static void memory(Exposition text) {
        String[] heap = {"area", "heap"};
        String[] beside = {"area", "nonheap"};
        MemoryUsage inHeap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        MemoryUsage besideHeap = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
        text.type("jvm_memory_bytes_used", "gauge")
            .sample("jvm_memory_bytes_used", heap, inHeap.getUsed())
            .sample("jvm_memory_bytes_used", beside, besideHeap.getUsed());
        text.type("jvm_memory_bytes_committed", "gauge")
            .sample("jvm_memory_bytes_committed", heap, inHeap.getCommitted())
            .sample("jvm_memory_bytes_committed", beside, besideHeap.getCommitted());
        text.type("jvm_memory_bytes_max", "gauge")
            .sample("jvm_memory_bytes_max", heap, inHeap.getMax())
            .sample("jvm_memory_bytes_max", beside, besideHeap.getMax());
    }

    private static void gauge(Exposition text, String name, Number value) {
        text.type(name, "gauge").sample(name, value);
    }
}
