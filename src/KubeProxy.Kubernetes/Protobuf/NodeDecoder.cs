using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>Node</c> (k8s.io/api/core/v1/generated.proto).</summary>
internal static class NodeDecoder
{
    public static Node Read(ref ProtobufReader reader)
    {
        ObjectMeta? metadata = null;
        NodeSpec? spec = null;
        NodeStatus? status = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: metadata = reader.Message("metadata", MetadataDecoder.Read); break;
                case 2: spec = reader.Message("spec", ReadSpec); break;
                case 3: status = reader.Message("status", ReadStatus); break;
                default: reader.Skip(); break;
            }
        }

        return new Node { Metadata = metadata, Spec = spec, Status = status };
    }

    private static NodeSpec ReadSpec(ref ProtobufReader reader)
    {
        var blocks = new Repeated<string>();
        var taints = new Repeated<Taint>();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 5: taints.Add(ref reader, "taints", ReadTaint); break;
                case 7: blocks.Add(ref reader, "podCIDRs", RepeatedText.Unique); break;
                default: reader.Skip(); break;
            }
        }

        return new NodeSpec { PodCidrs = blocks.Items, Taints = taints.Items };
    }

    private static Taint ReadTaint(ref ProtobufReader reader)
    {
        string? key = null;
        while (reader.Next())
        {
            if (reader.Field == 1) key = reader.Text("key");
            else reader.Skip();
        }

        return new Taint { Key = key.NullIfEmpty() };
    }

    private static NodeStatus ReadStatus(ref ProtobufReader reader)
    {
        var addresses = new Repeated<NodeAddress>();
        while (reader.Next())
        {
            if (reader.Field == 5) addresses.Add(ref reader, "addresses", ReadAddress);
            else reader.Skip();
        }

        return new NodeStatus { Addresses = addresses.Items };
    }

    private static NodeAddress ReadAddress(ref ProtobufReader reader)
    {
        string? type = null, address = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: type = reader.Text("type"); break;
                case 2: address = reader.UniqueText("address"); break;
                default: reader.Skip(); break;
            }
        }

        return new NodeAddress { Type = type.NullIfEmpty(), Address = address.NullIfEmpty() };
    }
}
