using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.CommandLine;

/// <summary>One flag: its text and what it does to the configuration.</summary>
/// <param name="Name">The name without dashes.</param>
/// <param name="Default">The default shown in the help; empty for none.</param>
/// <param name="Help">The help text.</param>
internal sealed record Flag(string Name, string Default, string Help)
{
    /// <summary>Another name, such as <c>v</c> for <c>-v</c>; null for none.</summary>
    public string? ShortName { get; init; }

    /// <summary>Whether the flag may stand without a value, which then means true.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>Whether it still counts when a configuration file is given.</summary>
    public bool OverridesFile { get; init; }

    /// <summary>Whether it is left out of the help.</summary>
    public bool IsDeprecated { get; init; }

    /// <summary>
    /// Puts the value into the configuration; returns why it cannot, or null. Null itself for flags that are about the
    /// process (<see cref="ProxyArguments"/>).
    /// </summary>
    public Func<KubeProxyConfiguration, string, string?>? Apply { get; init; }
}
