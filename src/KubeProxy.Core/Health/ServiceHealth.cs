using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Health;

/// <summary>What a load balancer that checks this node is to be told of one Service.</summary>
/// <param name="Service">The Service.</param>
/// <param name="Family">The family; each one counts its own endpoints.</param>
/// <param name="Port"><c>spec.healthCheckNodePort</c>.</param>
/// <param name="LocalEndpoints">The number of distinct addresses of ready endpoints on this node.</param>
public readonly record struct ServiceHealth(NamespacedName Service, IpFamily Family, ushort Port, int LocalEndpoints);

/// <summary>
/// All Services that load balancers check on this node, as of the last successful sync: nobody is sent here before the rules
/// are in force. Thread-safe.
/// </summary>
public sealed class ServiceHealthTable
{
    private readonly Lock _gate = new();
    private ImmutableArray<ServiceHealth> _ipv4 = [];
    private ImmutableArray<ServiceHealth> _ipv6 = [];

    /// <summary>Raised after a change, on the thread of a sync: handlers return at once.</summary>
    public event EventHandler? Changed;

    /// <summary>The current entries, sorted by family and Service.</summary>
    public ImmutableArray<ServiceHealth> Snapshot()
    {
        lock (_gate) return [.. _ipv4, .. _ipv6];
    }

    internal void Replace(IpFamily family, ImmutableArray<ServiceHealth> entries)
    {
        lock (_gate)
        {
            ref var current = ref family == IpFamily.IPv4 ? ref _ipv4 : ref _ipv6;
            if (current.AsSpan().SequenceEqual(entries.AsSpan())) return;
            current = entries;
        }

        Changed?.Invoke(this, EventArgs.Empty);
    }
}
