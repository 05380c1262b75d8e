using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Migration;
using KubeProxy.Host.Sources;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Host.Composition;

/// <summary>
/// <c>kube-proxy migrate --to MODE</c>: reads the configuration, the objects and the node, changes nothing, and says what would be
/// different in the other mode.
/// </summary>
/// <param name="parts">What comes from outside.</param>
internal sealed class MigrateCommand(ProxyParts parts)
{
    private static readonly ImmutableArray<string> Modes = [ProxyMode.Nftables, ProxyMode.Iptables, ProxyMode.Ipvs, ProxyMode.Userspace];

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>migrate</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0: nothing to decide, 1: something to decide, 2: something cannot be told, or the command line or the configuration is wrong.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        if (ProxyCommandLine.Parse(arguments, [.. MigrationFlags.All, .. FlagTable.All], out var errors) is not { } parsed)
        {
            if (errors.Count == 0) ProxyCommandLine.WriteMigrationHelp(parts.Output);
            return errors.Count == 0 ? MigrationReport.NothingToDecide : await RefuseAsync(errors);
        }

        if (Problem(parsed) is { } problem) return await RefuseAsync([problem]);
        try
        {
            var before = ConfigurationLoader.Load(parsed, out var warnings);
            foreach (var warning in warnings) await parts.Errors.WriteLineAsync($"kube-proxy: {parsed.ConfigFile}: {warning}");
            if (before.Mode == parsed.To) return await RefuseAsync([$"--to: the configuration has mode {before.Mode} already"]);
            var after = ConfigurationLoader.Load(parsed, out _, parsed.To);
            var context = await ReadAsync(parsed, before, after, cancellationToken);
            var report = new MigrationReport(context);
            await parts.Output.WriteAsync(parsed.Output == "json" ? report.ToJson() : report.ToText());
            return context.Cluster.Unread.IsEmpty ? report.ExitCode : await RefuseAsync([.. context.Cluster.Unread]);
        }
        catch (Exception failure) when (failure is ConfigurationException or ApiAccessException or TimeoutException)
        {
            return await RefuseAsync([failure.Message]);
        }
    }

    private async Task<MigrationContext> ReadAsync(ProxyArguments arguments, EffectiveConfiguration before, EffectiveConfiguration after, CancellationToken cancellationToken)
    {
        var (oldNode, newNode) = (new NodeSettings(before), new NodeSettings(after));
        using var connected = new ProxySources(arguments, before, oldNode.NodeName, parts.Time).CreateForOnce();
        var cluster = await new ClusterFactsReader(parts.InterfaceAddresses, parts.Time)
            .ReadAsync(connected.Source, oldNode.ToOptions(), newNode.ToOptions(), Timeout(arguments)!.Value.TimeSpan, cancellationToken);
        var ports = cluster.NodePorts.Select(port => (port.Frontend.Key.Protocol, port.Frontend.Key.Port)).ToHashSet();
        return new MigrationContext(before, after, cluster, await parts.ReadNodeFacts(new NodeFactsRequest(ports, after.Mode == ProxyMode.Ipvs), cancellationToken));
    }

    private static string? Problem(ProxyArguments arguments)
    {
        if (arguments.To is not { } mode || !Modes.Contains(mode)) return $"--to: expected {string.Join(", ", Modes)}, found {(arguments.To is null ? "nothing" : $"'{arguments.To}'")}";
        if (arguments.Output is not ("text" or "json")) return $"--output: expected text or json, found '{arguments.Output}'";
        return Timeout(arguments) is null ? $"--timeout: expected a duration greater than 0 such as 30s, found '{arguments.Timeout}'" : null;
    }

    private static GoDuration? Timeout(ProxyArguments arguments) =>
        GoDuration.TryParse(arguments.Timeout, out var timeout) && timeout.TimeSpan > TimeSpan.Zero ? timeout : null;

    private async Task<int> RefuseAsync(IReadOnlyList<string> problems)
    {
        // A problem may have a line for each of its parts.
        foreach (var line in problems.SelectMany(problem => problem.Split('\n'))) await parts.Errors.WriteLineAsync($"kube-proxy migrate: {SingleLine.Of(line)}");
        return MigrationReport.CannotBeTold;
    }
}
