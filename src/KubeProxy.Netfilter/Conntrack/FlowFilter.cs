using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Which flows to visit; a property that is null restricts nothing.</summary>
public sealed record FlowFilter
{
    /// <summary>All flows.</summary>
    public static FlowFilter All { get; } = new();

    /// <summary>The family of the addresses.</summary>
    public IpFamily? Family { get; init; }

    /// <summary>The protocol.</summary>
    public Protocol? Protocol { get; init; }

    /// <summary>The original destination address. Implies <see cref="Family"/>.</summary>
    public IpAddr? OriginalDestination { get; init; }

    /// <summary>The original destination port, which needs a <see cref="Protocol"/> to be filtered by the kernel.</summary>
    public ushort? OriginalDestinationPort { get; init; }

    /// <summary>The connection mark, compared where <see cref="MarkMask"/> has ones.</summary>
    public uint? Mark { get; init; }

    /// <summary>Which bits of <see cref="Mark"/> matter.</summary>
    public uint MarkMask { get; init; } = uint.MaxValue;

    /// <summary>The state, compared where <see cref="StatusMask"/> has ones.</summary>
    public FlowStatus? Status { get; init; }

    /// <summary>Which bits of <see cref="Status"/> matter.</summary>
    public FlowStatus StatusMask { get; init; } = ~FlowStatus.None;

    internal IpFamily? EffectiveFamily => OriginalDestination?.Family ?? Family;

    /// <summary>Whether the flow is asked for.</summary>
    public bool Matches(in Flow flow) =>
        (EffectiveFamily is not { } family || flow.Family == family)
        && (Protocol is not { } protocol || flow.Original.Protocol == protocol)
        && (OriginalDestination is not { } address || flow.Original.Destination == address)
        && (OriginalDestinationPort is not { } port || flow.Original.DestinationPort == port)
        && (Mark is not { } mark || (flow.Mark & MarkMask) == (mark & MarkMask))
        && (Status is not { } status || (flow.Status & StatusMask) == (status & StatusMask));
}
