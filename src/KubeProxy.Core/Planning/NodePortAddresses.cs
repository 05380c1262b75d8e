using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>
/// On which of the node's addresses node ports are open (<c>nodePortAddresses</c>): any mix of address blocks and of the keywords
/// <see cref="PrimaryKeyword"/>, <see cref="LocalhostKeyword"/> and <see cref="AllKeyword"/>.
/// </summary>
public sealed record NodePortAddresses
{
    /// <summary>The keyword for the node's primary address of each family.</summary>
    public const string PrimaryKeyword = "primary";

    /// <summary>The keyword for the loopback blocks: 127.0.0.0/8 and ::1/128.</summary>
    public const string LocalhostKeyword = "localhost";

    /// <summary>The keyword for every address: 0.0.0.0/0 and ::/0.</summary>
    public const string AllKeyword = "all";

    private static readonly ImmutableArray<Cidr> Localhost = [Cidr.Parse("127.0.0.0/8"), Cidr.Parse("::1/128")];
    private static readonly ImmutableArray<Cidr> All = [Cidr.Parse("0.0.0.0/0"), Cidr.Parse("::/0")];

    /// <summary>On every address.</summary>
    public static NodePortAddresses Everywhere { get; } = new();

    /// <summary>On the node's primary addresses, whatever they are at the time, besides those in <see cref="Blocks"/>.</summary>
    public bool Primary { get; init; }

    /// <summary>
    /// The blocks that addresses have to be in; keywords but <c>primary</c> stand here as blocks. A family that has neither a block
    /// nor a primary address, or has a /0, is open everywhere.
    /// </summary>
    public ImmutableArray<Cidr> Blocks { get; init; } = [];

    /// <summary>Reads the configured list.</summary>
    /// <exception cref="FormatException">An entry is neither a block nor a keyword; the message names it.</exception>
    public static NodePortAddresses Parse(IReadOnlyList<string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return new NodePortAddresses
        {
            Primary = entries.Contains(PrimaryKeyword),
            Blocks = [.. entries.SelectMany(BlocksOf)],
        };
    }

    /// <summary>Whether an entry can stand in the list: a block or a keyword.</summary>
    public static bool IsEntry(string? entry) => entry is PrimaryKeyword or LocalhostKeyword or AllKeyword || Cidr.TryParse(entry, out _);

    /// <summary>The blocks of one family, sorted; empty for everywhere. Loopback as primary address counts as unknown.</summary>
    internal ImmutableArray<Cidr> Resolve(IpFamily family, NodeTopology node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var blocks = Blocks.Where(block => block.Family == family);
        if (Primary && node.AddressOf(family) is { IsLoopback: false } address) blocks = blocks.Append(Cidr.Single(address));
        var sorted = blocks.Distinct().OrderBy(block => block.First).ThenBy(block => block.PrefixLength).ToImmutableArray();
        return sorted.Any(block => block.PrefixLength == 0) ? [] : sorted;
    }

    /// <summary>Whether a loopback address is among them.</summary>
    public bool Includes(IpAddr loopback)
    {
        var ofFamily = Blocks.Where(block => block.Family == loopback.Family).ToList();
        return ofFamily.Count == 0 ? !Primary : ofFamily.Any(block => block.Contains(loopback));
    }

    /// <summary>
    /// Whether a family's own loopback address, 127.0.0.1 or ::1, is asked for by name: by <c>localhost</c>, or by a block of
    /// loopback addresses that holds it. A larger block does not do that.
    /// </summary>
    public bool NamesLocalhost(IpFamily family) => Blocks.Any(block => block.Family == family && IsLoopback(block) && block.Contains(LocalhostOf(family)));

    /// <summary>The blocks of loopback addresses without 127.0.0.1, where only modes that open single addresses have node ports.</summary>
    public IEnumerable<Cidr> LoopbackBesidesLocalhost => Blocks.Where(block => IsLoopback(block) && !block.Contains(LocalhostOf(block.Family)));

    /// <inheritdoc/>
    public bool Equals(NodePortAddresses? other) =>
        other is not null && Primary == other.Primary && Blocks.AsSpan().SequenceEqual(other.Blocks.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Primary, Blocks.Length);

    private static IEnumerable<Cidr> BlocksOf(string entry) => entry switch
    {
        PrimaryKeyword => [],
        LocalhostKeyword => Localhost,
        AllKeyword => All,
        _ => [Cidr.Parse(entry)],
    };

    private static bool IsLoopback(Cidr block) => block.First.IsLoopback && block.Last.IsLoopback;

    private static IpAddr LocalhostOf(IpFamily family) => IpAddr.FromValue(family, family == IpFamily.IPv4 ? 0x7F000001 : UInt128.One);
}
