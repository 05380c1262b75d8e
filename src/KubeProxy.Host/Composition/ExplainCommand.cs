using System.Text;
using System.Text.Json;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Planning;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Inspection;

namespace KubeProxy.Host.Composition;

/// <summary><c>kube-proxy explain TARGET</c>: what happens to connections to it, and why.</summary>
/// <param name="parts">What comes from outside.</param>
internal sealed class ExplainCommand(ProxyParts parts)
{
    private readonly SubcommandFrame _frame = new(parts, Subcommand.Explain);

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>explain</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see cref="ExplainReport.Served"/>, <see cref="ExplainReport.NotServed"/> or <see cref="SubcommandFrame.CannotBeTold"/>.</returns>
    public Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => _frame.RunAsync(arguments, async (parsed, timeout) =>
    {
        if (!ExplainTarget.TryParse(parsed.Operand, out var target, out var problem)) return await _frame.RefuseAsync([$"target: {problem}"]);
        if (parsed is { Offline: true, Kernel: true }) return await _frame.RefuseAsync(["--kernel: the kernel is compared by the running proxy, so not with --offline"]);
        return parsed.Offline ? await ReadAsync(target, parsed, timeout, cancellationToken) : await AskAsync(target, parsed, timeout, cancellationToken);
    });

    private async Task<int> AskAsync(ExplainTarget target, ProxyArguments arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var proxy = new RunningProxy(arguments.SocketOr(parts.Socket), timeout);
        using var answer = JsonDocument.Parse(await proxy.GetAsync($"/explain?target={Uri.EscapeDataString(target.ToString()!)}{(arguments.Kernel ? "&kernel=true" : "")}", cancellationToken));
        var name = arguments.Output == "json" ? "explanation" : "text";
        await parts.Output.WriteAsync(answer.RootElement.GetProperty(name).GetString());
        return answer.RootElement.GetProperty("exitCode").GetInt32();
    }

    // Nothing was programmed here.
    private static Explanation WithoutHistory(Explanation explanation) => explanation with { Ports = [.. explanation.Ports.Select(port => port with { LastChange = null })] };

    private async Task<int> ReadAsync(ExplainTarget target, ProxyArguments arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var reading = await OfflineReading.ReadAsync(parts, arguments, timeout, cancellationToken);
        MasqueradePolicy Masquerade(Core.Model.IpFamily family) => reading.Settings.Masquerade(family, reading.Objects.Node?.Spec.PodCidrs ?? []);
        var explanation = WithoutHistory(reading.Objects.Engine.Explain(target, Masquerade));
        var report = new ExplainReport(explanation);
        await parts.Output.WriteAsync(arguments.Output == "json" ? Encoding.UTF8.GetString(ExplainJson.Write(explanation)) : report.ToText());
        var unread = reading.Unread;
        return unread.Count == 0 ? report.ExitCode : await _frame.RefuseAsync(unread);
    }
}
