namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>The matches that are known, with the revisions that iptables 1.8 sends.</summary>
internal static class XtMatches
{
    public static XtTable<IptablesMatch> Table { get; } = new(
        XtExtension.Match,
        CommentMatch.Codec, PortMatch.TcpCodec, PortMatch.UdpCodec, PortMatch.SctpCodec, SctpMatch.Codec, AddressTypeMatch.Codec, ConntrackMatch.Codec, StatisticMatch.Codec, StatisticNthMatch.Codec, RecentMatch.Codec,
        AccountingMatch.Codec, TcpMatch.Codec, DccpMatch.Codec, IcmpMatch.Codec, IcmpMatch.CodecV6, MultiportMatch.Codec, HashlimitMatch.Codec, ConnlimitMatch.Codec,
        ConnmarkMatch.Codec, SetMatch.Codec, OwnerMatch.Codec, MacMatch.Codec, PacketTypeMatch.Codec, IpRangeMatch.Codec, LengthMatch.Codec, StringMatch.Codec,
        TimeMatch.Codec, TosMatch.Codec, DscpMatch.Codec, PhysdevMatch.Codec, RpfilterMatch.Codec, CgroupMatch.Codec, U32Match.Codec, BpfMatch.Codec,
        SocketMatch.Codec, SrhMatch.Codec, FragmentMatch.Codec, AhMatch.Codec, AhMatch.CodecV6, EspMatch.Codec, IpcompMatch.Codec, ConnbytesMatch.Codec,
        PolicyMatch.Codec, TtlMatch.Codec, TtlMatch.CodecV6, QuotaMatch.Codec, ConnlabelMatch.Codec, RoutingHeaderMatch.Codec, MobilityMatch.Codec,
        OptionsMatch.HopByHopCodec, OptionsMatch.DestinationCodec, EcnMatch.Codec, CpuMatch.Codec, Ipv6HeaderMatch.Codec, TcpMssMatch.Codec, HelperMatch.Codec,
        ClusterMatch.Codec, RealmMatch.Codec, OsfMatch.Codec, DeviceGroupMatch.Codec, Eui64Match.Codec);
}
