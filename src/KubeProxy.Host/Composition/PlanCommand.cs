using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Inspection;
using KubeProxy.Host.Sources;

namespace KubeProxy.Host.Composition;

/// <summary><c>kube-proxy plan</c>: what would be in force for some objects on a node.</summary>
/// <param name="parts">What comes from outside.</param>
internal sealed class PlanCommand(ProxyParts parts)
{
    private readonly SubcommandFrame _frame = new(parts, Subcommand.Plan);

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>plan</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0, or <see cref="SubcommandFrame.CannotBeTold"/>.</returns>
    public Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => _frame.RunAsync(arguments, async (parsed, timeout) =>
    {
        using var reading = await OfflineReading.ReadAsync(parts, parsed, timeout, cancellationToken);
        await using var nothing = new DryRunKernel { Root = parts.Root, Addresses = reading.NodeAddresses(parts) };
        List<DryRun> families = [];
        foreach (var family in OfflineEngine.Families) families.Add(await reading.DryRunAsync(nothing, family, cancellationToken));
        var problems = reading.Objects.Engine.GetStatus().Problems;
        var report = new PlanReport(reading.Configuration.Mode, reading.Settings.NodeName, families, problems);
        await parts.Output.WriteAsync(parsed.Output == "json" ? report.ToJson() : report.ToText());
        return reading.Unread.Count == 0 ? 0 : await _frame.RefuseAsync(reading.Unread);
    });
}
