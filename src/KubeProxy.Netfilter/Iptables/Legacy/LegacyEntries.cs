using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables.Legacy;

/// <summary>
/// The entries of a table as the kernel hands them out (linux/netfilter_ipv4/ip_tables.h and linux/netfilter_ipv6/ip6_tables.h).
/// A user chain begins with an entry whose target is ERROR and has the chain's name in it.
/// </summary>
internal static class LegacyEntries
{
    private const string ErrorTarget = "ERROR"; // XT_ERROR_TARGET
    private const int TargetNameOffset = 2; // struct xt_entry_target
    private const int TargetNameLength = 29; // XT_EXTENSION_MAXNAMELEN
    private const int TargetHeaderLength = 32;
    private const int ErrorNameLength = 30; // XT_FUNCTION_MAXNAMELEN

    // offsetof(struct ipt_entry, target_offset) and offsetof(struct ip6t_entry, target_offset); next_offset follows it.
    private const int TargetOffset4 = 88;
    private const int TargetOffset6 = 140;

    /// <summary>The names of the user chains. Never fails: reading ends where the bytes make no sense.</summary>
    public static IReadOnlyList<string> Chains(ReadOnlySpan<byte> table, IpFamily family)
    {
        var chains = new List<string>();
        var offsets = family == IpFamily.IPv4 ? TargetOffset4 : TargetOffset6;
        while (table.Length >= offsets + (2 * sizeof(ushort)))
        {
            int target = MemoryMarshal.Read<ushort>(table[offsets..]);
            int next = MemoryMarshal.Read<ushort>(table[(offsets + sizeof(ushort))..]);
            if (next == 0 || next > table.Length || target > next) break;
            if (ChainOf(table[target..next]) is { } name) chains.Add(name);
            table = table[next..];
        }

        return chains;
    }

    private static string? ChainOf(ReadOnlySpan<byte> target)
    {
        if (target.Length < TargetHeaderLength + ErrorNameLength) return null;
        if (XtText.Read(target.Slice(TargetNameOffset, TargetNameLength)) != ErrorTarget) return null;
        // The last entry of a table is an ERROR too, and named so.
        return XtText.Read(target.Slice(TargetHeaderLength, ErrorNameLength)) is { } name and not ErrorTarget ? name : null;
    }
}
