using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Who wants a kernel object: a service port, or the base layout of the rules, which wins every conflict. Equal by name;
/// ordered by who wins, the older Service first.
/// </summary>
public sealed class RuleOwner : IComparable<RuleOwner>, IEquatable<RuleOwner>
{
    // Owners are keys of many dictionaries, and their names are four strings.
    private readonly int _hash;

    /// <summary>Makes an owner.</summary>
    /// <param name="name">The service port; null for the base layout.</param>
    /// <param name="createdAt">When its Service was made.</param>
    public RuleOwner(ServicePortName? name, DateTimeOffset createdAt) => (Name, CreatedAt, _hash) = (name, createdAt, name.GetHashCode());

    /// <summary>The owner of what is there without any service.</summary>
    public static RuleOwner Base { get; } = new(null, DateTimeOffset.MinValue);

    /// <summary>The service port; null for the base layout.</summary>
    public ServicePortName? Name { get; }

    /// <summary>The name as shown in comments and messages; one string for all uses.</summary>
    public string Text => field ??= Name?.ToString() ?? "base rules"; // Not before it is used: a restart that writes nothing needs none.

    /// <summary>The name as a comment of nf_tables objects, cut to the length that nft allows.</summary>
    public string Comment => field ??= Name is null ? "" : Cut(Text);

    private DateTimeOffset CreatedAt { get; }

    /// <inheritdoc/>
    public int CompareTo(RuleOwner? other)
    {
        if (other is null) return -1;
        var byAge = CreatedAt.CompareTo(other.CreatedAt);
        return byAge != 0 ? byAge : Nullable.Compare(Name, other.Name);
    }

    /// <inheritdoc/>
    public bool Equals(RuleOwner? other) => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Name == other.Name);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RuleOwner);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Orders by who wins.</summary>
    public static bool operator <(RuleOwner? left, RuleOwner? right) => Comparer<RuleOwner>.Default.Compare(left, right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(RuleOwner? left, RuleOwner? right) => Comparer<RuleOwner>.Default.Compare(left, right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(RuleOwner? left, RuleOwner? right) => Comparer<RuleOwner>.Default.Compare(left, right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(RuleOwner? left, RuleOwner? right) => Comparer<RuleOwner>.Default.Compare(left, right) >= 0;

    /// <summary>Equal by name.</summary>
    public static bool operator ==(RuleOwner? left, RuleOwner? right) => Equals(left, right);

    /// <inheritdoc cref="op_Equality"/>
    public static bool operator !=(RuleOwner? left, RuleOwner? right) => !Equals(left, right);

    private static string Cut(string text)
    {
        const int longest = 120; // NFTNL_UDATA_COMMENT_MAXLEN is 128
        while (Encoding.UTF8.GetByteCount(text) > longest) text = text[..^Math.Max(1, (text.Length - longest) / 2)];
        return text;
    }
}
