using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Migration;
using KubeProxy.Host.Node;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Host.Composition;

/// <summary>What the program takes from outside; tests put their own in.</summary>
internal sealed record ProxyParts
{
    /// <summary>Makes backends.</summary>
    public Func<BackendContext, IProxyBackend> CreateBackend { get; init; } = ProxyBackends.Create;

    /// <summary>Makes what <c>--cleanup</c> runs.</summary>
    public Func<KubeProxyConfiguration, IReadOnlyList<IRuleCleaner>> Cleaners { get; init; } = ProxyBackends.Cleaners;

    /// <summary>Makes what removes the rules of other modes once those of the mode configured are in force.</summary>
    public Func<KubeProxyConfiguration, IReadOnlyList<IRuleCleaner>> CleanersAtStart { get; init; } = ProxyBackends.CleanersAtStart;

    /// <summary>Notes what the sysctls are that the mode configured sets, before it does.</summary>
    public Func<KubeProxyConfiguration, CancellationToken, Task> NoteSysctls { get; init; } = ProxyBackends.NoteSysctlsAsync;

    /// <summary>Reads what <c>migrate</c> looks at on the node.</summary>
    public Func<NodeFactsRequest, CancellationToken, Task<NodeFacts>> ReadNodeFacts { get; init; } = NodeFactsReader.ReadAsync;

    /// <summary>Makes what looks for other proxies' rules; see <see cref="RivalSearches.Create"/>.</summary>
    public Func<string, IReadOnlyList<IpFamily>, Func<NftablesConnection>, Action, IReadOnlyList<IRivalSearch>> CreateRivalSearches { get; init; } =
        RivalSearches.Create;

    /// <summary>Opens what a dry run reads, for a mode.</summary>
    public Func<string, DryRunKernel> OpenKernel { get; init; } = DryRunKernel.Open;

    /// <summary>Where subcommands ask by default; null when this process cannot have a socket there, and then it has none.</summary>
    public string? Socket { get; init; } = Environment.IsPrivilegedProcess ? CommandLine.FlagTable.DefaultSocket : null;

    /// <summary>The socket of systemd; null for none.</summary>
    public string? NotifySocket { get; init; } = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>Lists the addresses of the interfaces.</summary>
    public Func<IReadOnlyList<IpAddr>> InterfaceAddresses { get; init; } = Node.InterfaceAddresses.List;

    /// <summary>Whether the kernel does IPv6.</summary>
    public Func<bool> HasIpv6 { get; init; } = () => Ipv6Support.IsAvailable();

    /// <summary>Where /proc and /sys are mounted below.</summary>
    public string Root { get; init; } = "/";

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where help and versions go.</summary>
    public TextWriter Output { get; init; } = Console.Out;

    /// <summary>Opens what the log is written to.</summary>
    public Func<Stream> OpenLog { get; init; } = Console.OpenStandardError;

    /// <summary>Where complaints about the command line go.</summary>
    public TextWriter Errors { get; init; } = Console.Error;
}
