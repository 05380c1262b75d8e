using System.Text;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Inspection;
using KubeProxy.Host.Sources;

namespace KubeProxy.Host.Composition;

/// <summary><c>kube-proxy diff</c>: the kernel against the plan.</summary>
/// <param name="parts">What comes from outside.</param>
internal sealed class DiffCommand(ProxyParts parts)
{
    private readonly SubcommandFrame _frame = new(parts, Subcommand.Diff);

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>diff</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see cref="DiffReport.Same"/>, <see cref="DiffReport.Different"/> or <see cref="SubcommandFrame.CannotBeTold"/>.</returns>
    public Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => _frame.RunAsync(arguments, async (parsed, timeout) =>
    {
        var report = parsed.Offline ? await CompareAsync(parsed, timeout, cancellationToken) : await AskAsync(parsed, timeout, cancellationToken);
        await parts.Output.WriteAsync(parsed.Output == "json" ? Encoding.UTF8.GetString(report.ToJson()) : report.ToText());
        return report.ExitCode;
    });

    private async Task<DiffReport> AskAsync(ProxyArguments arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var proxy = new RunningProxy(arguments.SocketOr(parts.Socket), timeout);
        return DiffReport.Parse(await proxy.GetAsync("/diff", cancellationToken));
    }

    private async Task<DiffReport> CompareAsync(ProxyArguments arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var reading = await OfflineReading.ReadAsync(parts, arguments, timeout, cancellationToken);
        await using var kernel = parts.OpenKernel(reading.Configuration.Mode);
        List<Difference> all = [];
        foreach (var family in OfflineEngine.Families)
        {
            var run = await reading.DryRunAsync(kernel, family, cancellationToken);
            all.AddRange(await new Differences(run, kernel.Nftables).FindAsync(cancellationToken));
        }

        if (reading.Unread.Count > 0) throw new RunningProxyException(string.Join("; ", reading.Unread)); // It would be surplus, though it is wanted.
        return DiffReport.Of(reading.Configuration.Mode, all);
    }
}
