using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>ServiceCIDR</c> (k8s.io/api/networking/v1/generated.proto).</summary>
internal static class ServiceCidrDecoder
{
    public static ServiceCIDR Read(ref ProtobufReader reader)
    {
        ObjectMeta? metadata = null;
        ServiceCIDRSpec? spec = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: metadata = reader.Message("metadata", MetadataDecoder.Read); break;
                case 2: spec = reader.Message("spec", ReadSpec); break;
                default: reader.Skip(); break;
            }
        }

        return new ServiceCIDR { Metadata = metadata, Spec = spec };
    }

    private static ServiceCIDRSpec ReadSpec(ref ProtobufReader reader)
    {
        var blocks = new Repeated<string>();
        while (reader.Next())
        {
            if (reader.Field == 1) blocks.Add(ref reader, "cidrs", RepeatedText.Unique);
            else reader.Skip();
        }

        return new ServiceCIDRSpec { Cidrs = blocks.Items };
    }
}
