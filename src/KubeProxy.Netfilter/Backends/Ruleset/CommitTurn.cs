namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>The right to commit; disposing it gives it to the next one.</summary>
/// <param name="generation">What the next commit can expect.</param>
/// <param name="end">Called once, with what was committed; null if nothing was.</param>
internal sealed class CommitTurn(uint generation, Action<uint?> end) : IDisposable
{
    private uint? _committed;

    /// <summary>The latest generation of which everything is known that concerns the table.</summary>
    public uint Generation { get; private set; } = generation;

    /// <summary>Notes the generation that the commit made.</summary>
    public void Committed(uint generation) => _committed = Generation = generation;

    public void Dispose() => end(_committed);
}
