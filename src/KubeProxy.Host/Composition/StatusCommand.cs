using System.Text;
using System.Text.Json;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Inspection;

namespace KubeProxy.Host.Composition;

/// <summary><c>kube-proxy status</c>: whether the proxy of this node is well, and what is wrong.</summary>
/// <param name="parts">What comes from outside.</param>
internal sealed class StatusCommand(ProxyParts parts)
{
    // Cursor home, and erase to the end of the screen.
    private const string ClearScreen = "\u001b[H\u001b[2J";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly SubcommandFrame _frame = new(parts, Subcommand.Status);

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>status</c>.</param>
    /// <param name="cancellationToken">Gives up; with <c>--watch</c>, ends it.</param>
    /// <returns><see cref="StatusReport.Well"/>, <see cref="StatusReport.Wrong"/> or <see cref="SubcommandFrame.CannotBeTold"/>.</returns>
    public Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => _frame.RunAsync(arguments, async (parsed, timeout) =>
    {
        using var proxy = new RunningProxy(parsed.SocketOr(parts.Socket), timeout);
        if (!parsed.Watch) return await ShowAsync(proxy, parsed.Output, "", cancellationToken);
        while (true)
        {
            try
            {
                await ShowAsync(proxy, parsed.Output, parsed.Output == "text" ? ClearScreen : "", cancellationToken);
            }
            catch (RunningProxyException problem)
            {
                await _frame.RefuseAsync([problem.Message]); // It may come back.
            }

            await Task.Delay(Period, parts.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return StatusReport.Well;
        }
    });

    private async Task<int> ShowAsync(RunningProxy proxy, string output, string before, CancellationToken cancellationToken)
    {
        var body = await proxy.GetAsync("/status", cancellationToken);
        using var json = JsonDocument.Parse(body);
        var report = new StatusReport(json.RootElement);
        await parts.Output.WriteAsync(before + (output == "json" ? Encoding.UTF8.GetString(body) + "\n" : report.ToText()));
        await parts.Output.FlushAsync(cancellationToken);
        return report.ExitCode;
    }
}
