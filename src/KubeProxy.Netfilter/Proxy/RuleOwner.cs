using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// Who wants a kernel object: a service port, or the base layout of the rules, which wins every conflict. Equal by name;
/// ordered by who wins, the older Service first.
/// </summary>
internal sealed class RuleOwner(ServicePortName? name, DateTimeOffset createdAt) : IComparable<RuleOwner>, IEquatable<RuleOwner>
{
    /// <summary>The owner of what is there without any service.</summary>
    public static RuleOwner Base { get; } = new(null, DateTimeOffset.MinValue);

    /// <summary>The service port; null for the base layout.</summary>
    public ServicePortName? Name { get; } = name;

    /// <summary>The name as shown in comments and messages; one string for all uses.</summary>
    public string Text { get; } = name?.ToString() ?? "base rules";

    /// <summary>The name as a comment of nf_tables objects, cut to the length that nft allows.</summary>
    public string Comment { get; } = Cut(name?.ToString() ?? "");

    private DateTimeOffset CreatedAt { get; } = createdAt;

    public int CompareTo(RuleOwner? other)
    {
        if (other is null) return -1;
        var byAge = CreatedAt.CompareTo(other.CreatedAt);
        return byAge != 0 ? byAge : Nullable.Compare(Name, other.Name);
    }

    public bool Equals(RuleOwner? other) => other is not null && Name == other.Name;

    public override bool Equals(object? obj) => Equals(obj as RuleOwner);

    public override int GetHashCode() => Name.GetHashCode();

    public override string ToString() => Text;

    private static string Cut(string text)
    {
        const int longest = 120; // NFTNL_UDATA_COMMENT_MAXLEN is 128
        while (Encoding.UTF8.GetByteCount(text) > longest) text = text[..^Math.Max(1, (text.Length - longest) / 2)];
        return text;
    }
}
