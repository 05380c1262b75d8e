using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs.Backend;

/// <summary>What the ipvs backend of one address family has to know.</summary>
public sealed record IpvsBalancerOptions
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>The scheduler of Services that ask for none (<c>ipvs.scheduler</c>).</summary>
    public string Scheduler { get; init; } = SchedulerNames.RoundRobin;

    /// <summary>Virtual services with an address in here are somebody else's and are left alone (<c>ipvs.excludeCIDRs</c>).</summary>
    public ImmutableArray<Cidr> ExcludedBlocks { get; init; } = [];

    /// <summary>Whether the node answers ARP only for addresses of the interface that is asked (<c>ipvs.strictARP</c>).</summary>
    public bool StrictArp { get; init; }

    /// <summary>How long connections are remembered; zero leaves a timeout alone (<c>ipvs.tcpTimeout</c> and its siblings).</summary>
    public IpvsTimeouts Timeouts { get; init; } = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>How often the kernel is compared with what it should have: IPVS tells nobody about changes.</summary>
    public TimeSpan PollPeriod { get; init; } = TimeSpan.FromSeconds(30);
}
