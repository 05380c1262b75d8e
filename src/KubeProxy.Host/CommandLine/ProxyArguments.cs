namespace KubeProxy.Host.CommandLine;

/// <summary>The command line, parsed but not yet applied.</summary>
internal sealed record ProxyArguments
{
    /// <summary>The flags given, in the order of the table, each with its values in order.</summary>
    public required IReadOnlyList<(Flag Flag, string Value)> Given { get; init; }

    /// <summary>What stands without a flag; null for nothing.</summary>
    public string? Operand { get; init; }

    /// <summary><c>--config</c>; null when not given.</summary>
    public string? ConfigFile => Last("config");

    /// <summary><c>--manifests</c>; null when not given.</summary>
    public string? Manifests => Last("manifests");

    /// <summary><c>--master</c>; null when not given.</summary>
    public string? Master => Last("master");

    /// <summary><c>--write-config-to</c>; null when not given.</summary>
    public string? WriteConfigTo => Last("write-config-to");

    /// <summary><c>--cleanup</c>.</summary>
    public bool Cleanup => IsOn("cleanup");

    /// <summary><c>--init-only</c>.</summary>
    public bool InitOnly => IsOn("init-only");

    /// <summary><c>--version</c>: null for no, else <c>true</c> or <c>raw</c>.</summary>
    public string? Version => Last("version") is { } value && FlagValues.ParseBoolean(value) is not false ? value : null;

    /// <summary><c>--to</c> of <c>migrate</c>; null when not given.</summary>
    public string? To => Last("to");

    /// <summary><c>--proxy-mode</c>; null when not given.</summary>
    public string? Mode => Last("proxy-mode");

    /// <summary><c>--socket</c>, or what is so by default; null when it is given empty: there is to be none.</summary>
    /// <param name="path">The default; null for none.</param>
    public string? FindSocket(string? path) => Given.LastOrDefault(given => given.Flag.Name == "socket").Value is { } value ? (value.Length > 0 ? value : null) : path;

    /// <summary><c>--offline</c> of subcommands.</summary>
    public bool Offline => IsOn("offline");

    /// <summary><c>--kernel</c> of <c>explain</c>.</summary>
    public bool Kernel => IsOn("kernel");

    /// <summary><c>--watch</c> of <c>status</c>.</summary>
    public bool Watch => IsOn("watch");

    /// <summary><c>--output</c> of subcommands.</summary>
    public string Output => Last("output") ?? "text";

    /// <summary><c>--timeout</c> of subcommands.</summary>
    public string Timeout => Last("timeout") ?? "30s";

    /// <summary>The socket that subcommands ask on.</summary>
    /// <param name="path">The default.</param>
    public string SocketOr(string? path) => FindSocket(path) ?? path ?? FlagTable.DefaultSocket;

    /// <summary>Every flag with its value, given or by default.</summary>
    public IReadOnlyDictionary<string, string> AllValues()
    {
        var values = FlagTable.All.ToDictionary(flag => flag.Name, flag => flag.Default);
        foreach (var (flag, value) in Given) values[flag.Name] = value;
        return values;
    }

    private bool IsOn(string name) => Last(name) is { } value && FlagValues.ParseBoolean(value) == true;

    private string? Last(string name) => Given.LastOrDefault(given => given.Flag.Name == name).Value is { Length: > 0 } value ? value : null;
}
