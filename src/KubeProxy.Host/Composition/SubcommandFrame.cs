using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Inspection;
using KubeProxy.Kubernetes.Access;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Host.Composition;

/// <summary>What all subcommands have in common: reading the command line, and saying what is wrong.</summary>
/// <param name="parts">What comes from outside.</param>
/// <param name="subcommand">The subcommand.</param>
internal sealed class SubcommandFrame(ProxyParts parts, Subcommand subcommand)
{
    /// <summary>Something is wrong with the command line or the configuration, or something cannot be read.</summary>
    public const int CannotBeTold = 2;

    /// <summary>Reads the command line and runs the subcommand.</summary>
    /// <param name="arguments">What follows its name.</param>
    /// <param name="run">Does it; what it throws for an operator is said.</param>
    /// <returns>0 for help, <see cref="CannotBeTold"/>, or what <paramref name="run"/> returns.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, Func<ProxyArguments, TimeSpan, Task<int>> run)
    {
        if (ProxyCommandLine.Parse(arguments, [.. subcommand.Flags, .. FlagTable.All], out var errors, subcommand.Operand) is not { } parsed)
        {
            if (errors.Count == 0) ProxyCommandLine.WriteHelp(parts.Output, subcommand);
            return errors.Count == 0 ? 0 : await RefuseAsync(errors);
        }

        if (parsed.Output is not ("text" or "json")) return await RefuseAsync([$"--output: expected text or json, found '{parsed.Output}'"]);
        if (!GoDuration.TryParse(parsed.Timeout, out var timeout) || timeout.TimeSpan <= TimeSpan.Zero)
            return await RefuseAsync([$"--timeout: expected a duration greater than 0 such as 30s, found '{parsed.Timeout}'"]);
        try
        {
            return await run(parsed, timeout.TimeSpan);
        }
        catch (Exception failure) when (failure is ConfigurationException or ApiAccessException or TimeoutException or ProxyBackendException or NetlinkException
            or NftReadException or RunningProxyException)
        {
            return await RefuseAsync([failure.Message]);
        }
    }

    /// <summary>Says what is wrong.</summary>
    public async Task<int> RefuseAsync(IReadOnlyList<string> problems)
    {
        foreach (var problem in problems) await parts.Errors.WriteLineAsync($"kube-proxy {subcommand.Name}: {SingleLine.Of(problem)}");
        return CannotBeTold;
    }
}
