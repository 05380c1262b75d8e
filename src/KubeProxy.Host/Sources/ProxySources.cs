using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using KubeProxy.Core.Manifests;
using KubeProxy.Core.Sources;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Yaml;
using KubeProxy.Kubernetes;
using KubeProxy.Kubernetes.Access;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Sources;

/// <summary>A source and what it is connected with.</summary>
/// <param name="Source">The source.</param>
/// <param name="Client">The API server; null when objects come from elsewhere.</param>
internal sealed record ConnectedSource(IProxySource Source, ApiClient? Client) : IDisposable
{
    /// <summary>Closes the connections.</summary>
    public void Dispose() => Client?.Dispose();
}

/// <summary>
/// Where objects come from: a directory with <c>--manifests</c>, else the API server of the kubeconfig or of <c>--master</c>, else
/// the one of the cluster that this process runs in.
/// </summary>
internal sealed class ProxySources(ProxyArguments arguments, EffectiveConfiguration configuration, string nodeName, TimeProvider time)
{
    /// <summary>The same for a command that reads once: it does not wait for a directory that may come.</summary>
    /// <exception cref="ApiAccessException">The credentials cannot be used; the message names the file and the field.</exception>
    /// <exception cref="ConfigurationException">There is no such directory.</exception>
    public ConnectedSource CreateForOnce() => arguments.Manifests is { } manifests && !Directory.Exists(manifests)
        ? throw new ConfigurationException(null, [new ConfigurationProblem("--manifests", $"there is no directory '{manifests}'")])
        : Create(NullLoggerFactory.Instance, meters: null);

    /// <summary>Makes a source, with its client; connects when it runs.</summary>
    /// <exception cref="ApiAccessException">The credentials cannot be used; the message names the file and the field.</exception>
    public ConnectedSource Create(ILoggerFactory loggers, IMeterFactory? meters)
    {
        if (arguments.Manifests is { } manifests)
            return new ConnectedSource(new ManifestSource(manifests, [new YamlManifestFormat()], time, loggers.CreateLogger<ManifestSource>()), null);
        var connection = configuration.Source.ClientConnection;
        var options = new ApiClientOptions
        {
            UserAgent = KubernetesVersion.UserAgent,
            Qps = connection.Qps,
            Burst = connection.Burst,
            AcceptContentTypes = connection.AcceptContentTypes.Length > 0 ? connection.AcceptContentTypes : connection.ContentType,
        };
        var client = new ApiClient(Access(connection.Kubeconfig), options, time, loggers.CreateLogger<ApiClient>(), meters);
        return new ConnectedSource(new ApiServerSource(client, new ApiServerSourceOptions { NodeName = nodeName, WatchAllNodes = configuration.Mode == ProxyMode.Ipvs }, loggers.CreateLogger<ApiServerSource>()), client);
    }

    private ApiServerAccess Access(string? kubeconfig)
    {
        if (!string.IsNullOrEmpty(kubeconfig)) return Kubeconfig.Load(ReadYaml(kubeconfig), kubeconfig, master: arguments.Master);
        return arguments.Master is { } master ? ApiServerAccess.Anonymous(master) : InCluster.Load();
    }

    private static JsonNode? ReadYaml(string path)
    {
        try
        {
            using var reader = File.OpenText(path);
            return YamlReader.Read(reader).Select(document => JsonNode.Parse(document.Json.Span)).FirstOrDefault();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or YamlFormatException)
        {
            throw new ApiAccessException($"clientConnection.kubeconfig (--kubeconfig) {path}", "", problem.Message, problem);
        }
    }
}
