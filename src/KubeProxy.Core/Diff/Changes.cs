namespace KubeProxy.Core.Diff;

/// <summary>What has to be done to a kernel collection. The three lists are disjoint.</summary>
public sealed class Changes<TKey, TValue>
    where TKey : notnull
{
    /// <summary>Entries to add.</summary>
    public List<KeyValuePair<TKey, TValue>> Added { get; } = [];

    /// <summary>Entries that are there with another value.</summary>
    public List<KeyValuePair<TKey, TValue>> Replaced { get; } = [];

    /// <summary>Keys to remove.</summary>
    public List<TKey> Removed { get; } = [];

    /// <summary>The number of changes.</summary>
    public int Count => Added.Count + Replaced.Count + Removed.Count;
}
