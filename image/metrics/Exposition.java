package zookit.metrics;

/** Prometheus' text format, version 0.0.4: names without what it does not allow, labels in quotes. */
final class Exposition {
    private final StringBuilder text = new StringBuilder();

    /** Starts a metric; its samples follow. */
    Exposition type(String name, String type) {
        text.append("# TYPE ").append(plain(name)).append(' ').append(type).append('\n');
        return this;
    }

    Exposition sample(String name, Number value) {
        return sample(name, new String[0], value);
    }

    /** @param labels names and values in turn */
    Exposition sample(String name, String[] labels, Number value) {
        text.append(plain(name));
        for (int at = 0; at < labels.length; at += 2) {
            text.append(at == 0 ? '{' : ',').append(labels[at]).append("=\"").append(quoted(labels[at + 1])).append('"');
        }
        text.append(labels.length == 0 ? " " : "} ").append(value).append('\n');
        return this;
    }

    private static String plain(String name) {
        return name.replaceAll("[^a-zA-Z0-9_:]", "_");
    }

    private static String quoted(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
