using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A device group under a mask.</summary>
/// <param name="Value">The group.</param>
/// <param name="Mask">The mask.</param>
/// <param name="Negated">Not so.</param>
public sealed record DeviceGroup(uint Value, uint Mask = uint.MaxValue, bool Negated = false);

/// <summary><c>-m devgroup</c>: the groups of interfaces. Null is any.</summary>
/// <param name="Source">Of the input interface.</param>
/// <param name="Destination">Of the output interface.</param>
public sealed record DeviceGroupMatch(DeviceGroup? Source = null, DeviceGroup? Destination = null) : IptablesMatch
{
    private const uint HasSource = 1; // XT_DEVGROUP_MATCH_SRC
    private const uint NegatedSource = 2; // XT_DEVGROUP_INVERT_SRC
    private const uint HasDestination = 4; // XT_DEVGROUP_MATCH_DST
    private const uint NegatedDestination = 8; // XT_DEVGROUP_INVERT_DST

    // struct xt_devgroup_info (xt_devgroup.h): | flags u32 | src_group u32 | src_mask u32 | dst_group u32 | dst_mask u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, DeviceGroupMatch>(
        "devgroup", 0, 24,
        static (info, in _) => new DeviceGroupMatch(
            (info.U32(0) & HasSource) == 0 ? null : new DeviceGroup(info.U32(4), info.U32(8), (info.U32(0) & NegatedSource) != 0),
            (info.U32(0) & HasDestination) == 0 ? null : new DeviceGroup(info.U32(12), info.U32(16), (info.U32(0) & NegatedDestination) != 0)),
        static (match, info, in _) =>
        {
            info.Put(0, (match.Source is null ? 0 : HasSource) | (match.Source is { Negated: true } ? NegatedSource : 0)
                | (match.Destination is null ? 0 : HasDestination) | (match.Destination is { Negated: true } ? NegatedDestination : 0));
            info.Put(4, match.Source?.Value ?? 0);
            info.Put(8, match.Source?.Mask ?? 0);
            info.Put(12, match.Destination?.Value ?? 0);
            info.Put(16, match.Destination?.Mask ?? 0);
        },
        static (match, text) =>
        {
            if (match.Source is { } source) text.Not(source.Negated).Add($"--src-group {IptablesArguments.Mark(source.Value, source.Mask)}");
            if (match.Destination is { } destination) text.Not(destination.Negated).Add($"--dst-group {IptablesArguments.Mark(destination.Value, destination.Mask)}");
        });
}
