using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>Service</c> (k8s.io/api/core/v1/generated.proto).</summary>
internal static class ServiceDecoder
{
    public static Service Read(ref ProtobufReader reader)
    {
        ObjectMeta? metadata = null;
        ServiceSpec? spec = null;
        ServiceStatus? status = null;
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

        return new Service { Metadata = metadata, Spec = spec, Status = status };
    }

    private static ServiceSpec ReadSpec(ref ProtobufReader reader)
    {
        var ports = new Repeated<ServicePort>();
        var (externalIPs, ranges) = (new Repeated<string>(), new Repeated<string>());
        var (clusterIPs, families) = (new Repeated<string>(), new Repeated<string>());
        string? type = null, clusterIP = null, affinity = null, external = null, @internal = null;
        SessionAffinityConfig? affinityConfig = null;
        var healthCheckNodePort = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: ports.Add(ref reader, "ports", ReadPort); break;
                case 3: clusterIP = reader.UniqueText("clusterIP"); break;
                case 4: type = reader.Text("type"); break;
                case 5: externalIPs.Add(ref reader, "externalIPs", RepeatedText.Unique); break;
                case 7: affinity = reader.Text("sessionAffinity"); break;
                case 9: ranges.Add(ref reader, "loadBalancerSourceRanges", RepeatedText.Shared); break;
                case 11: external = reader.Text("externalTrafficPolicy"); break;
                case 12: healthCheckNodePort = reader.Int32("healthCheckNodePort"); break;
                case 14: affinityConfig = reader.Message("sessionAffinityConfig", ReadAffinity); break;
                case 18: clusterIPs.Add(ref reader, "clusterIPs", RepeatedText.Unique); break;
                case 19: families.Add(ref reader, "ipFamilies", RepeatedText.Shared); break;
                case 22: @internal = reader.Text("internalTrafficPolicy"); break;
                default: reader.Skip(); break;
            }
        }

        return new ServiceSpec
        {
            Type = type.NullIfEmpty(),
            ClusterIP = clusterIP.NullIfEmpty(),
            ClusterIPs = clusterIPs.Items,
            IPFamilies = families.Items,
            ExternalIPs = externalIPs.Items,
            LoadBalancerSourceRanges = ranges.Items,
            InternalTrafficPolicy = @internal,
            ExternalTrafficPolicy = external.NullIfEmpty(),
            HealthCheckNodePort = healthCheckNodePort.NullIfZero(),
            SessionAffinity = affinity.NullIfEmpty(),
            SessionAffinityConfig = affinityConfig,
            Ports = ports.Items,
        };
    }

    private static ServicePort ReadPort(ref ProtobufReader reader)
    {
        string? name = null, protocol = null;
        int? port = null;
        var nodePort = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = reader.Text("name"); break;
                case 2: protocol = reader.Text("protocol"); break;
                case 3: port = reader.Int32("port"); break;
                case 5: nodePort = reader.Int32("nodePort"); break;
                default: reader.Skip(); break;
            }
        }

        return new ServicePort
        {
            Name = name.NullIfEmpty(),
            Protocol = protocol.NullIfEmpty(),
            Port = port,
            NodePort = nodePort.NullIfZero(),
        };
    }

    private static SessionAffinityConfig ReadAffinity(ref ProtobufReader reader)
    {
        ClientIPConfig? clientIP = null;
        while (reader.Next())
        {
            if (reader.Field == 1) clientIP = reader.Message("clientIP", ReadClientIP);
            else reader.Skip();
        }

        return new SessionAffinityConfig { ClientIP = clientIP };
    }

    private static ClientIPConfig ReadClientIP(ref ProtobufReader reader)
    {
        int? timeout = null;
        while (reader.Next())
        {
            if (reader.Field == 1) timeout = reader.Int32("timeoutSeconds");
            else reader.Skip();
        }

        return new ClientIPConfig { TimeoutSeconds = timeout };
    }

    private static ServiceStatus ReadStatus(ref ProtobufReader reader)
    {
        LoadBalancerStatus? balancer = null;
        while (reader.Next())
        {
            if (reader.Field == 1) balancer = reader.Message("loadBalancer", ReadBalancer);
            else reader.Skip();
        }

        return new ServiceStatus { LoadBalancer = balancer };
    }

    private static LoadBalancerStatus ReadBalancer(ref ProtobufReader reader)
    {
        var ingress = new Repeated<LoadBalancerIngress>();
        while (reader.Next())
        {
            if (reader.Field == 1) ingress.Add(ref reader, "ingress", ReadIngress);
            else reader.Skip();
        }

        return new LoadBalancerStatus { Ingress = ingress.Items };
    }

    private static LoadBalancerIngress ReadIngress(ref ProtobufReader reader)
    {
        string? ip = null, mode = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: ip = reader.UniqueText("ip"); break;
                case 3: mode = reader.Text("ipMode"); break;
                default: reader.Skip(); break;
            }
        }

        return new LoadBalancerIngress { IP = ip.NullIfEmpty(), IPMode = mode };
    }
}
