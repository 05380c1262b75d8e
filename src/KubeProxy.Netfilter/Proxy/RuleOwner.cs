using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// Who wants a kernel object: a service port; the base layout of the rules, which wins every conflict; or nobody any more, which
/// loses every conflict. Equal by name; ordered by who wins, the older Service first.
/// </summary>
public sealed class RuleOwner : IComparable<RuleOwner>, IEquatable<RuleOwner>
{
    private const int BaseRank = 0;
    private const int ServicePortRank = 1;
    private const int NobodyRank = 2;

    private readonly int _rank;

    /// <summary>A service port.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="createdAt">When its Service was made.</param>
    public RuleOwner(ServicePortName name, DateTimeOffset createdAt) : this(ServicePortRank, name, createdAt, name.ToString())
    {
    }

    private RuleOwner(int rank, ServicePortName? name, DateTimeOffset createdAt, string text) =>
        (_rank, Name, CreatedAt, Text, Comment) = (rank, name, createdAt, text, Cut(name?.ToString() ?? ""));

    /// <summary>The owner of what is there without any service.</summary>
    public static RuleOwner Base { get; } = new(BaseRank, null, default, "base rules");

    /// <summary>The owner of what no service wants any more and that has to stay for a while, or is not ours to remove.</summary>
    public static RuleOwner Nobody { get; } = new(NobodyRank, null, default, "what no service wants");

    /// <summary>The service port; null for the base layout.</summary>
    public ServicePortName? Name { get; }

    /// <summary>The name as shown in comments and messages; one string for all uses.</summary>
    public string Text { get; }

    /// <summary>The name as a comment of nf_tables objects, cut to the length that nft allows.</summary>
    public string Comment { get; }

    private DateTimeOffset CreatedAt { get; }

    /// <inheritdoc/>
    public int CompareTo(RuleOwner? other)
    {
        if (other is null) return -1;
        if (_rank != other._rank) return _rank.CompareTo(other._rank);
        var byAge = CreatedAt.CompareTo(other.CreatedAt);
        return byAge != 0 ? byAge : Nullable.Compare(Name, other.Name);
    }

    /// <inheritdoc/>
    public bool Equals(RuleOwner? other) => other is not null && _rank == other._rank && Name == other.Name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RuleOwner);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode();

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
