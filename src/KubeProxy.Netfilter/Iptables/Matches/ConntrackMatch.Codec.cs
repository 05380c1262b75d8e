using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

public sealed partial record ConntrackMatch
{
    private const int MatchFlags = 146;
    private const int InvertFlags = 148;
    private const ushort State = 1 << 0; // XT_CONNTRACK_STATE
    private const ushort Proto = 1 << 1; // XT_CONNTRACK_PROTO
    private const ushort Status = 1 << 6; // XT_CONNTRACK_STATUS
    private const ushort Expires = 1 << 7; // XT_CONNTRACK_EXPIRES
    private const ushort Direction = 1 << 12; // XT_CONNTRACK_DIRECTION
    private const ushort StateAlias = 1 << 13; // XT_CONNTRACK_STATE_ALIAS
    private static readonly string[] StatusNames = ["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"];

    private static readonly (ConntrackStates State, string Name)[] StateNames =
    [
        (ConntrackStates.Invalid, "INVALID"), (ConntrackStates.New, "NEW"), (ConntrackStates.Related, "RELATED"),
        (ConntrackStates.Established, "ESTABLISHED"), (ConntrackStates.Untracked, "UNTRACKED"),
        (ConntrackStates.Snat, "SNAT"), (ConntrackStates.Dnat, "DNAT"),
    ];

    // XT_CONNTRACK_ORIGSRC, _ORIGDST, _REPLSRC, _REPLDST: the address, with its mask 16 bytes behind.
    private static readonly (ushort Bit, int At, string Option)[] Addresses =
        [(1 << 2, 0, "--ctorigsrc"), (1 << 3, 32, "--ctorigdst"), (1 << 4, 64, "--ctreplsrc"), (1 << 5, 96, "--ctrepldst")];

    // XT_CONNTRACK_ORIGSRC_PORT, _ORIGDST_PORT, _REPLSRC_PORT, _REPLDST_PORT: the lowest port, and the highest.
    private static readonly (ushort Bit, int At, int HighAt, string Option)[] Ports =
        [(1 << 8, 138, 154, "--ctorigsrcport"), (1 << 9, 140, 156, "--ctorigdstport"), (1 << 10, 142, 158, "--ctreplsrcport"), (1 << 11, 144, 160, "--ctrepldstport")];

    // struct xt_conntrack_mtinfo3 (xt_conntrack.h): | 4 addresses with masks | expires_min, expires_max u32 | l4proto u16 | 4 ports u16 | match_flags u16 |
    // invert_flags u16 | state_mask u16 | status_mask u16 | 4 ports_high u16 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ConntrackMatch>("conntrack", 3, 168, Read, Write, Print);

    private static ConntrackMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info.U16(MatchFlags), info.U16(InvertFlags));
        var isState = (flags & State) != 0;
        var match = new ConntrackMatch((ConntrackStates)info.U16(150), (inverted & State) != 0) { AsState = (flags & StateAlias) != 0 };
        if ((flags & ~(State | StateAlias)) == 0) return isState ? match : null;
        var addresses = new AddressMatch?[4];
        var ports = new PortRange?[4];
        for (var i = 0; i < 4; i++)
        {
            if ((flags & Addresses[i].Bit) != 0)
            {
                if (info.Block(Addresses[i].At, context.Family, Addresses[i].At + 16) is not { } block) return null;
                addresses[i] = new AddressMatch(block, (inverted & Addresses[i].Bit) != 0);
            }

            if ((flags & Ports[i].Bit) != 0) ports[i] = new PortRange(info.U16(Ports[i].At), info.U16(Ports[i].HighAt), (inverted & Ports[i].Bit) != 0);
        }

        if ((flags & Proto) != 0 && info.U16(136) > byte.MaxValue) return null;
        return match with
        {
            Details = new ConntrackDetails
            {
                Protocol = (flags & Proto) == 0 ? null : new ProtocolMatch((Protocol)info.U16(136), (inverted & Proto) != 0),
                OriginalSource = addresses[0], OriginalDestination = addresses[1], ReplySource = addresses[2], ReplyDestination = addresses[3],
                OriginalSourcePort = ports[0], OriginalDestinationPort = ports[1], ReplySourcePort = ports[2], ReplyDestinationPort = ports[3],
                Status = (flags & Status) == 0 ? null : info.U16(152), StatusNegated = (inverted & Status) != 0,
                Expires = (flags & Expires) == 0 ? null : (info.U32(128), info.U32(132)), ExpiresNegated = (inverted & Expires) != 0,
                IsReply = (flags & Direction) == 0 ? null : (inverted & Direction) != 0,
            },
        };
    }

    private static void Write(ConntrackMatch match, Span<byte> info, in XtContext context)
    {
        var flags = (ushort)(match.AsState ? StateAlias : 0);
        ushort inverted = 0;
        Set(State, match.States != 0, match.Negated);
        info.Put(150, (ushort)match.States);
        if (match.Details is { } details)
        {
            Set(Proto, details.Protocol is not null, details.Protocol is { Negated: true });
            info.Put(136, (ushort)(details.Protocol?.Protocol ?? 0));
            for (var i = 0; i < 4; i++)
            {
                if (AddressesOf(details)[i] is { } address)
                {
                    Set(Addresses[i].Bit, true, address.Negated);
                    info.Put(Addresses[i].At, address.Block, context.Family, Addresses[i].At + 16);
                }

                if (PortsOf(details)[i] is not { } ports) continue;
                Set(Ports[i].Bit, true, ports.Negated);
                info.Put(Ports[i].At, ports.First);
                info.Put(Ports[i].HighAt, ports.Last);
            }

            Set(Status, details.Status is not null, details.StatusNegated);
            info.Put(152, details.Status ?? 0);
            Set(Expires, details.Expires is not null, details.ExpiresNegated);
            info.Put(128, details.Expires?.First ?? 0);
            info.Put(132, details.Expires?.Last ?? 0);
            Set(Direction, details.IsReply is not null, details.IsReply is true);
        }

        info.Put(MatchFlags, flags);
        info.Put(InvertFlags, inverted);

        void Set(ushort bit, bool isSet, bool isInverted)
        {
            if (isSet) flags |= bit;
            if (isInverted) inverted |= bit;
        }
    }

    private static AddressMatch?[] AddressesOf(ConntrackDetails details) => [details.OriginalSource, details.OriginalDestination, details.ReplySource, details.ReplyDestination];

    private static PortRange?[] PortsOf(ConntrackDetails details) =>
        [details.OriginalSourcePort, details.OriginalDestinationPort, details.ReplySourcePort, details.ReplyDestinationPort];

    private static void Print(ConntrackMatch match, IptablesArguments text)
    {
        if (match.States != 0)
        {
            var names = StateNames.Where(name => match.States.HasFlag(name.State)).Select(name => name.Name);
            text.Not(match.Negated).Add($"{(match.AsState ? "--state" : "--ctstate")} {string.Join(',', names)}");
        }

        if (match.Details is not { } details) return;
        if (details.Protocol is { } protocol) text.Not(protocol.Negated).Add($"--ctproto {(byte)protocol.Protocol}");
        for (var i = 0; i < 4; i++)
            if (AddressesOf(details)[i] is { } address)
                text.Not(address.Negated).Add($"{Addresses[i].Option} {XtAddresses.Short(address.Block, text.Family)}");
        for (var i = 0; i < 4; i++)
            PortRange.Print(Ports[i].Option, PortsOf(details)[i], text);
        if (details.Status is { } status) text.Not(details.StatusNegated).Add($"--ctstatus {(status == 0 ? "NONE" : IptablesArguments.Names(StatusNames, status))}");
        if (details.Expires is var (first, last)) text.AddRange("--ctexpire", details.ExpiresNegated, first, last);
        if (details.IsReply is { } isReply) text.Add(isReply ? "--ctdir REPLY" : "--ctdir ORIGINAL");
    }
}
