using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>A change of the kernel's IPVS. A closed set. Each is applied or refused by itself.</summary>
public abstract record IpvsOperation
{
    private IpvsOperation(VirtualServiceKey service) => Service = service;

    /// <summary>The virtual service that it is about.</summary>
    public VirtualServiceKey Service { get; }

    /// <summary>Makes a virtual service. EEXIST when there is one with the key, ENOENT when the kernel lacks the scheduler.</summary>
    /// <param name="Value">The service.</param>
    public sealed record AddService(VirtualService Value) : IpvsOperation(Value.Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"add virtual service {Value.Key} scheduler {Value.Scheduler}";
    }

    /// <summary>Changes everything but the key of a virtual service; its destinations and connections stay. ESRCH when there is none.</summary>
    /// <param name="Value">The service.</param>
    public sealed record SetService(VirtualService Value) : IpvsOperation(Value.Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"set virtual service {Value.Key} scheduler {Value.Scheduler}";
    }

    /// <summary>Deletes a virtual service with its destinations. ESRCH when there is none.</summary>
    /// <param name="Key">The service.</param>
    public sealed record DeleteService(VirtualServiceKey Key) : IpvsOperation(Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"delete virtual service {Key}";
    }

    /// <summary>Adds a destination. EEXIST when the service has one with the endpoint, ESRCH when there is no such service.</summary>
    /// <param name="Key">The service.</param>
    /// <param name="Value">The destination.</param>
    public sealed record AddDestination(VirtualServiceKey Key, Destination Value) : IpvsOperation(Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"add destination {Value.Endpoint} weight {Value.Weight} to {Key}";
    }

    /// <summary>Changes everything but the endpoint of a destination; connections stay. ENOENT when the service has none such.</summary>
    /// <param name="Key">The service.</param>
    /// <param name="Value">The destination.</param>
    public sealed record SetDestination(VirtualServiceKey Key, Destination Value) : IpvsOperation(Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"set destination {Value.Endpoint} weight {Value.Weight} of {Key}";
    }

    /// <summary>Deletes a destination; its connections end. ENOENT when the service has none such.</summary>
    /// <param name="Key">The service.</param>
    /// <param name="Endpoint">The destination.</param>
    public sealed record DeleteDestination(VirtualServiceKey Key, IpEndpoint Endpoint) : IpvsOperation(Key)
    {
        /// <inheritdoc/>
        public override string ToString() => $"delete destination {Endpoint} of {Key}";
    }
}

/// <summary>The kernel's refusal of one operation.</summary>
/// <param name="OperationIndex">Which, in the list that was given.</param>
/// <param name="Error">Why.</param>
public readonly record struct IpvsRefusal(int OperationIndex, Netlink.NetlinkException Error);
