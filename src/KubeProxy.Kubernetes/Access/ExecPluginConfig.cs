using System.Text.Json.Nodes;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// <c>user.exec</c> of a kubeconfig: a program that prints credentials (<c>client.authentication.k8s.io</c>). It is the only
/// program that the proxy ever starts, and only when the kubeconfig says so.
/// </summary>
public sealed record ExecPluginConfig
{
    /// <summary>The program: a path, or a name that is looked up in PATH.</summary>
    public required string Command { get; init; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Variables beyond our own environment.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Env { get; init; } = [];

    /// <summary><c>client.authentication.k8s.io/v1</c> or <c>v1beta1</c>.</summary>
    public string ApiVersion { get; init; } = V1;

    /// <summary>What to tell the operator when the program is missing.</summary>
    public string? InstallHint { get; init; }

    /// <summary>What to tell the program of the cluster (<c>provideClusterInfo</c>); null for nothing.</summary>
    public JsonObject? ClusterInfo { get; init; }

    /// <summary>Where it is configured, for messages.</summary>
    public string Origin { get; init; } = "";

    /// <summary>How long the program may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    internal const string V1 = "client.authentication.k8s.io/v1";
    internal const string V1Beta1 = "client.authentication.k8s.io/v1beta1";
}
