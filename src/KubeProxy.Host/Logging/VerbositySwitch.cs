namespace KubeProxy.Host.Logging;

/// <summary>The verbosity in force, which can change while the process runs. Thread-safe.</summary>
/// <param name="first">The verbosity at the start.</param>
internal sealed class VerbositySwitch(Verbosity first)
{
    private volatile Verbosity _current = first;

    /// <summary>The verbosity; loggers take a new one over with their next message.</summary>
    public Verbosity Current
    {
        get => _current;
        set => _current = value;
    }
}
