using KubeProxy.Core.Model;
using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Sources;

namespace KubeProxy.Host.Composition;

/// <summary>Configuration and objects of a subcommand that does without the running proxy.</summary>
/// <param name="Configuration">The configuration.</param>
/// <param name="Settings">What it means on the node.</param>
/// <param name="Objects">The objects, planned.</param>
internal sealed record OfflineReading(EffectiveConfiguration Configuration, NodeSettings Settings, OfflineEngine Objects) : IDisposable
{
    /// <summary>Reads both.</summary>
    /// <param name="parts">What comes from outside; gets warnings about the configuration.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="timeout">How long to wait for all objects.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ConfigurationException">The configuration cannot be used.</exception>
    /// <exception cref="Kubernetes.Access.ApiAccessException">The credentials cannot be used.</exception>
    /// <exception cref="TimeoutException">The objects did not come.</exception>
    public static async Task<OfflineReading> ReadAsync(ProxyParts parts, ProxyArguments arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var configuration = ConfigurationLoader.Load(arguments, out var warnings, arguments.Mode);
        foreach (var warning in warnings) await parts.Errors.WriteLineAsync($"kube-proxy: {arguments.ConfigFile ?? "command line"}: {warning}");
        var settings = new NodeSettings(configuration);
        using var connected = new ProxySources(arguments, configuration, settings.NodeName, parts.Time).CreateForOnce();
        var objects = await OfflineEngine.ReadAsync(connected.Source, settings.ToOptions(), parts.InterfaceAddresses, parts.Time, timeout, cancellationToken);
        return new OfflineReading(configuration, settings, objects);
    }

    /// <summary>What could not be read, a line each.</summary>
    public IReadOnlyList<string> Unread => [.. Objects.Engine.GetStatus().Problems.Where(problem => problem.Place.Length > 0).Select(problem => $"not read: {problem}")];

    /// <summary>What the backend of a family would write.</summary>
    /// <param name="kernel">What is there.</param>
    /// <param name="family">The family.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<DryRun> DryRunAsync(DryRunKernel kernel, IpFamily family, CancellationToken cancellationToken)
    {
        var engine = Objects.Engine;
        var task = new BackendTask(Configuration, family, Settings.Masquerade(family, Objects.Node?.Spec.PodCidrs ?? []));
        return DryRun.RunAsync(task, kernel, engine.GetNode(family), engine.GetPlans(family), cancellationToken);
    }

    /// <summary>The addresses of the node: those of the interfaces here, unless another node is meant.</summary>
    public IReadOnlyList<IpAddr> NodeAddresses(ProxyParts parts) =>
        Configuration.Source.HostnameOverride.Length > 0 && Objects.Node is { } node
            ? [.. node.Status.Addresses.Select(address => IpAddr.TryParse(address.Address, out var parsed) ? parsed : (IpAddr?)null).OfType<IpAddr>().Distinct()]
            : parts.InterfaceAddresses();

    /// <inheritdoc/>
    public void Dispose() => Objects.Dispose();
}
