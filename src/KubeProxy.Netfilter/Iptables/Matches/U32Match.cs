using System.Collections.Immutable;
using System.Text;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m u32</c>: tests of words of the packet, as bytes.</summary>
/// <param name="Tests">
/// Up to 11 tests of 180 bytes (<c>struct xt_u32_test</c> in <c>linux/netfilter/xt_u32.h</c>): 11 locations of a number and an operation, 11 ranges of values, and
/// how many of each there are, all in the host's order.
/// </param>
/// <param name="Negated">Not so.</param>
public sealed record U32Match(ImmutableArray<byte> Tests, bool Negated = false) : IptablesMatch
{
    private const int Limit = 11; // XT_U32_MAXSIZE + 1: also of tests
    private const int TestSize = 180;
    private const int ValuesAt = 88;
    private const int CountsAt = 176;
    private const int NumberOfTests = 1980;
    private static readonly string[] Operations = ["&", "<<", ">>", "@"];

    // struct xt_u32 (xt_u32.h): | tests[11] | ntests u8 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, U32Match>("u32", 0, 1984, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(U32Match? other) => other is not null && Negated == other.Negated && Tests.AsSpan().SequenceEqual(other.Tests.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Tests.AsSpan());
        return hash.ToHashCode();
    }

    private static U32Match? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var count = info[NumberOfTests];
        if (count > Limit) return null;
        var tests = info[..(count * TestSize)];
        for (var i = 0; i < count; i++)
        {
            var counts = tests[((i * TestSize) + CountsAt)..];
            if (counts[0] is 0 or > Limit || counts[1] > Limit) return null;
        }

        return new U32Match([.. tests], info[NumberOfTests + 1] != 0);
    }

    private static void Write(U32Match match, Span<byte> info, in XtContext context)
    {
        if (match.Tests.Length % TestSize != 0 || match.Tests.Length > Limit * TestSize) throw new ArgumentException($"Tests have {TestSize} bytes.", nameof(match));
        match.Tests.AsSpan().CopyTo(info);
        info[NumberOfTests] = (byte)(match.Tests.Length / TestSize);
        info.Put(NumberOfTests + 1, match.Negated);
    }

    private static void Print(U32Match match, IptablesArguments text)
    {
        var words = new StringBuilder();
        for (var at = 0; at + TestSize <= match.Tests.Length; at += TestSize)
        {
            var test = match.Tests.AsSpan().Slice(at, TestSize);
            if (at > 0) words.Append("&&");
            for (var i = 0; i < Math.Min(test[CountsAt], (byte)Limit); i++)
            {
                if (i > 0 && test[(8 * i) + 4] < Operations.Length) words.Append(Operations[test[(8 * i) + 4]]);
                words.Append($"0x{test.U32(8 * i):x}");
            }

            for (var i = 0; i < Math.Min(test[CountsAt + 1], (byte)Limit); i++)
            {
                var (first, last) = (test.U32(ValuesAt + (8 * i)), test.U32(ValuesAt + (8 * i) + 4));
                words.Append(i == 0 ? '=' : ',').Append(first == last ? $"0x{first:x}" : $"0x{first:x}:0x{last:x}");
            }
        }

        text.Not(match.Negated).Add($"--u32 \"{words}\"");
    }
}
