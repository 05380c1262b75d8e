namespace KubeProxy.Netfilter.Harness;

/// <summary>What became of a rule or table that was read, printed and written back.</summary>
public sealed record Outcome(string File, string Family, string Given)
{
    /// <summary>As nft lists it.</summary>
    public string Listed { get; init; } = "";

    /// <summary>Our text.</summary>
    public string Text { get; init; } = "";

    /// <summary>same, opaque, different, exception, lost, or "not taken" where nft itself refuses it here.</summary>
    public required string Reading { get; init; }

    /// <summary>Written back beside it: faithful, refused (with the reason) or unfaithful; empty for "not taken".</summary>
    public string Again { get; init; } = "";

    /// <summary>Written into a new table, likewise.</summary>
    public string Copied { get; init; } = "";
}
