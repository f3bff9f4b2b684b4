import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceInstanceBuilder;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;

/** Curator's x-discovery. */
final class Services implements Peer.Recipe {
    private static final ObjectMapper json = new ObjectMapper();

    private final ServiceDiscovery<Object> discovery;
    private final Map<String, ServiceInstance<Object>> registered = new HashMap<>();
    private final Map<String, ServiceProvider<Object>> providers = new HashMap<>();

    Services(CuratorFramework curator, String path, JsonNode args) throws Exception {
        boolean writesEnabled = args.path("writesEnabled").asBoolean(false);
        discovery = ServiceDiscoveryBuilder.builder(Object.class)
            .client(curator)
            .basePath(path)
            .serializer(new JsonInstanceSerializer<>(Object.class, !writesEnabled))
            .build();
        discovery.start();
    }

    @Override
    public Object call(String command, JsonNode args) throws Exception {
        switch (command) {
            case "register": {
                ServiceInstance<Object> instance = instanceOf(args);
                discovery.registerService(instance);
                registered.put(instance.getId(), instance);
                return null;
            }
            case "update": {
                ServiceInstance<Object> instance = instanceOf(args);
                discovery.updateService(instance);
                return null;
            }
            case "unregister":
                discovery.unregisterService(registered.remove(args.get("serviceId").asText()));
                return null;
            case "names":
                return discovery.queryForNames().stream().sorted().toList();
            case "query":
                return shown(discovery.queryForInstances(args.get("name").asText()));
            case "pick": {
                ServiceInstance<Object> picked = provider(args.get("name").asText()).getInstance();
                return picked == null ? null : picked.getId();
            }
            default:
                throw Peer.unknown(command);
        }
    }

    @Override
    public void close() throws Exception {
        for (ServiceProvider<Object> provider : providers.values()) provider.close();
        discovery.close();
    }

    private ServiceProvider<Object> provider(String name) throws Exception {
        if (!providers.containsKey(name)) {
            ServiceProvider<Object> provider = discovery.serviceProviderBuilder().serviceName(name).build();
            provider.start();
            providers.put(name, provider);
        }
        return providers.get(name);
    }

    private static ServiceInstance<Object> instanceOf(JsonNode args) throws Exception {
        ServiceInstanceBuilder<Object> builder = ServiceInstance.builder()
            .name(args.get("name").asText())
            .id(args.get("serviceId").asText())
            .address(args.path("address").asText("127.0.0.1"))
            .serviceType(ServiceType.valueOf(args.path("serviceType").asText("DYNAMIC")));
        if (args.has("enabled")) builder.enabled(args.get("enabled").asBoolean());
        if (args.has("port")) builder.port(args.get("port").asInt());
        if (args.has("sslPort")) builder.sslPort(args.get("sslPort").asInt());
        if (args.has("payload")) builder.payload(json.treeToValue(args.get("payload"), Object.class));
        if (args.has("uriSpec")) builder.uriSpec(new UriSpec(args.get("uriSpec").asText()));
        return builder.build();
    }

    private static List<Map<String, Object>> shown(Collection<ServiceInstance<Object>> instances) {
        return instances.stream().map(Services::shown).toList();
    }

    private static Map<String, Object> shown(ServiceInstance<Object> instance) {
        Map<String, Object> fields = new HashMap<>();
        fields.put("name", instance.getName());
        fields.put("id", instance.getId());
        fields.put("address", instance.getAddress());
        fields.put("port", instance.getPort());
        fields.put("sslPort", instance.getSslPort());
        fields.put("payload", instance.getPayload());
        fields.put("registrationTimeUTC", instance.getRegistrationTimeUTC());
        fields.put("serviceType", instance.getServiceType().name());
        fields.put("uri", instance.getUriSpec() == null ? null : instance.buildUriSpec());
        fields.put("enabled", instance.isEnabled());
        return fields;
    }
}
