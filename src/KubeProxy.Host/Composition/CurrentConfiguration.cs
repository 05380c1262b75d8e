using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Composition;

/// <summary>The configuration in force, of which a changed file replaces what can be replaced. Thread-safe.</summary>
/// <param name="first">The configuration at the start.</param>
internal sealed class CurrentConfiguration(EffectiveConfiguration first)
{
    private volatile EffectiveConfiguration _value = first;

    /// <summary>The configuration.</summary>
    public EffectiveConfiguration Value
    {
        get => _value;
        set => _value = value;
    }
}
