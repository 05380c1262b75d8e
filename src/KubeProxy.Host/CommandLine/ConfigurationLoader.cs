using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.CommandLine;

/// <summary>Makes the configuration in force from the command line and the file that it names.</summary>
internal static class ConfigurationLoader
{
    /// <summary>Loads, completes and validates.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="warnings">What was forgiven.</param>
    /// <param name="mode">The mode, whatever the configuration says; null for what it says.</param>
    /// <exception cref="ConfigurationException">Something is wrong; has everything.</exception>
    public static EffectiveConfiguration Load(ProxyArguments arguments, out IReadOnlyList<ConfigurationProblem> warnings, string? mode = null)
    {
        warnings = [];
        var configuration = arguments.ConfigFile is { } file
            ? ConfigurationFile.Read(file, out warnings)
            : new KubeProxyConfiguration();
        ConfigurationDefaults.Apply(configuration);
        if (arguments.ConfigFile is null && configuration.Ipvs.MinSyncPeriod == GoDuration.Zero)
            configuration.Ipvs.MinSyncPeriod = GoDuration.FromSeconds(1); // The flag has a default, the file's field has none.
        foreach (var (flag, value) in arguments.Given)
            if (flag.OverridesFile || arguments.ConfigFile is null) flag.Apply?.Invoke(configuration, value);
        configuration.Mode = mode ?? configuration.Mode;
        var isModeImplied = configuration.Mode.Length == 0;
        ConfigurationDefaults.ApplyPorts(configuration); // After the flags that have ports of their own.
        ConfigurationDefaults.ApplyPlatform(configuration);
        configuration.HostnameOverride = HostnameOverride(configuration.HostnameOverride);

        var effective = EffectiveConfiguration.From(configuration) with { IsModeImplied = isModeImplied };
        var problems = ConfigurationValidator.Validate(effective);
        if (problems.Count > 0) throw new ConfigurationException(arguments.ConfigFile, problems);
        warnings = [.. warnings, .. FeatureGates.Warnings(configuration)];
        return effective;
    }

    private static string HostnameOverride(string given)
    {
        var name = given.Trim().ToLowerInvariant();
        if (name.Length == 0 && given.Length > 0)
            throw new ConfigurationException(null, [new ConfigurationProblem("hostnameOverride", "empty hostname is invalid")]);
        return name;
    }
}
