using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>EndpointSlice</c> (k8s.io/api/discovery/v1/generated.proto).</summary>
internal static class EndpointSliceDecoder
{
    public static EndpointSlice Read(ref ProtobufReader reader)
    {
        ObjectMeta? metadata = null;
        string? addressType = null;
        var endpoints = new Repeated<Endpoint>();
        var ports = new Repeated<EndpointPort>();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: metadata = reader.Message("metadata", MetadataDecoder.Read); break;
                case 2: endpoints.Add(ref reader, "endpoints", ReadEndpoint); break;
                case 3: ports.Add(ref reader, "ports", ReadPort); break;
                case 4: addressType = reader.Text("addressType"); break;
                default: reader.Skip(); break;
            }
        }

        return new EndpointSlice
        {
            Metadata = metadata,
            AddressType = addressType.NullIfEmpty(),
            Endpoints = endpoints.Items,
            Ports = ports.Items,
        };
    }

    private static Endpoint ReadEndpoint(ref ProtobufReader reader)
    {
        var addresses = new Repeated<string>();
        EndpointConditions? conditions = null;
        string? node = null;
        EndpointHints? hints = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: addresses.Add(ref reader, "addresses", RepeatedText.Unique); break;
                case 2: conditions = reader.Message("conditions", ReadConditions); break;
                case 6: node = reader.Text("nodeName"); break;
                case 8: hints = reader.Message("hints", ReadHints); break;
                default: reader.Skip(); break;
            }
        }

        return new Endpoint { Addresses = addresses.Items, Conditions = conditions, NodeName = node, Hints = hints };
    }

    private static EndpointConditions ReadConditions(ref ProtobufReader reader)
    {
        bool? ready = null, serving = null, terminating = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: ready = reader.Bool("ready"); break;
                case 2: serving = reader.Bool("serving"); break;
                case 3: terminating = reader.Bool("terminating"); break;
                default: reader.Skip(); break;
            }
        }

        return EndpointConditions.Of(ready, serving, terminating);
    }

    private static EndpointHints ReadHints(ref ProtobufReader reader)
    {
        var zones = new Repeated<TopologyHint>();
        var nodes = new Repeated<TopologyHint>();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: zones.Add(ref reader, "forZones", ReadHint); break;
                case 2: nodes.Add(ref reader, "forNodes", ReadHint); break;
                default: reader.Skip(); break;
            }
        }

        return new EndpointHints { ForZones = zones.Items, ForNodes = nodes.Items };
    }

    private static TopologyHint ReadHint(ref ProtobufReader reader)
    {
        string? name = null;
        while (reader.Next())
        {
            if (reader.Field == 1) name = reader.Text("name");
            else reader.Skip();
        }

        return new TopologyHint { Name = name };
    }

    private static EndpointPort ReadPort(ref ProtobufReader reader)
    {
        string? name = null, protocol = null;
        int? port = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = reader.Text("name"); break;
                case 2: protocol = reader.Text("protocol"); break;
                case 3: port = reader.Int32("port"); break;
                default: reader.Skip(); break;
            }
        }

        return new EndpointPort { Name = name, Protocol = protocol, Port = port };
    }
}
