using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>Rules, each with the arguments that iptables-save 1.8.9 prints of it.</summary>
internal static class IptablesSamples
{
    private static readonly IpAddr V4 = IpAddr.Parse("192.0.2.1");
    private static readonly IpAddr V6 = IpAddr.Parse("2001:db8::1");
    private static readonly IdRange Spis = new(1, 10);

    public static IEnumerable<(IpFamily Family, string Text, IptablesRule Rule)> All => Both().SelectMany(sample => new[] { (IpFamily.IPv4, sample.Text, sample.Rule), (IpFamily.IPv6, sample.Text, sample.Rule) })
        .Concat(OfV4().Select(sample => (IpFamily.IPv4, sample.Text, sample.Rule))).Concat(OfV6().Select(sample => (IpFamily.IPv6, sample.Text, sample.Rule)));

    private static IEnumerable<(string Text, IptablesRule Rule)> Both()
    {
        yield return ("-p 253", new IptablesRule { Protocol = new ProtocolMatch((Protocol)253) });
        yield return ("! -p gre", new IptablesRule { Protocol = new ProtocolMatch((Protocol)47, Negated: true) });
        yield return ("-p tcp -m tcp --sport 1024:65535 ! --dport 0:9", Tcp(new PortMatch(new PortRange(1024, 65535), new PortRange(0, 9, Negated: true))));
        yield return ("-p tcp -m tcp ! --sport 10:20 --dport 5", Tcp(new PortMatch(new PortRange(10, 20, Negated: true), PortRange.Single(5))));
        yield return ("-p tcp -m tcp ! --sport 1 ! --dport 2", Tcp(new PortPairMatch(1, 2)));
        yield return ("-p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN", Tcp(new TcpMatch(null, PortRange.Single(22)) { Flags = new TcpFlagsTest(0x17, 2) }));
        yield return ("-p tcp -m tcp ! --tcp-flags SYN NONE", Tcp(new TcpMatch { Flags = new TcpFlagsTest(2, 0, Negated: true) }));
        yield return ("-p tcp -m tcp --sport 5 ! --tcp-option 8", Tcp(new TcpMatch(PortRange.Single(5)) { Option = 8, OptionNegated = true }));
        yield return ("-p sctp -m sctp --dport 9 --chunk-types all DATA:Be,INIT", new IptablesRule
        {
            Protocol = new ProtocolMatch(Protocol.Sctp),
            Matches = [new SctpMatch(null, PortRange.Single(9)) { ChunkTypes = new SctpChunks(SctpChunkQuantifier.All, [0, 1]) { Flags = [new SctpChunkFlags(0, 3, 2)] } }],
        });
        yield return ("-m dccp --sport 1:2 ! --dccp-types DATA,ACK --dccp-option 7", Of(new DccpMatch(new PortRange(1, 2)) { Types = 12, TypesNegated = true, Option = 7 }));
        yield return ("-m multiport ! --ports 1,5:9", Of(new MultiportMatch(MultiportSide.Either, [PortRange.Single(1), new PortRange(5, 9)], Negated: true)));
        yield return ("-m limit --limit 10/min --limit-burst 7", Of(new LimitMatch(10, 60, 7)));
        yield return ("-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 9 --hashlimit-mode srcip,dstport --hashlimit-name x --hashlimit-srcmask 8 --hashlimit-dstmask 9",
            Of(new HashlimitMatch("x", 200_000, 9, HashlimitKeys.SourceAddress | HashlimitKeys.DestinationPort) { SourceMask = 8, DestinationMask = 9 }));
        yield return ("-m connlimit --connlimit-upto 3 --connlimit-mask 24 --connlimit-daddr", Of(new ConnlimitMatch(3, 24, UpTo: true, ByDestination: true)));
        yield return ("-m connmark ! --mark 0x1/0xff", Of(new ConnmarkMatch(1, 255, Negated: true)));
        yield return ("-m state --state NEW", Of(new ConntrackMatch(ConntrackStates.New) { AsState = true }));
        yield return ("-m conntrack ! --ctproto 17 --ctorigsrcport 5:6 --ctstatus NONE ! --ctexpire 7 --ctdir REPLY", Of(new ConntrackMatch(0)
        {
            Details = new ConntrackDetails
            {
                Protocol = new ProtocolMatch(Protocol.Udp, Negated: true), OriginalSourcePort = new PortRange(5, 6), Status = 0, Expires = (7, 7), ExpiresNegated = true, IsReply = true,
            },
        }));
        yield return ("-m addrtype ! --src-type LOCAL --dst-type ANYCAST --limit-iface-out",
            Of(new AddressTypeMatch(AddressTypes.Local, AddressTypes.Anycast) { SourceNegated = true, LimitOutput = true }));
        yield return ("-m set ! --match-set /*5*/ src,dst --return-nomatch ! --packets-eq 9", Of(new SetMatch(new SetReference(5, [true, false]), Negated: true) { Packets = new SetCounterTest(2, 9), Flags = 4 }));
        yield return ("-m owner ! --socket-exists --uid-owner 5-9 ! --gid-owner 7 --suppl-groups", Of(new OwnerMatch(new IdRange(5, 9), new IdRange(7, 7, Negated: true)) { SocketExists = false, SupplementaryGroups = true }));
        yield return ("-m mac ! --mac-source 02:00:5e:10:00:ff", Of(new MacMatch(0x02005E1000FF, Negated: true)));
        yield return ("-m string --hex-string \"|00ff|\" --algo bm --from 3", Of(new StringMatch([0, 255], "bm") { From = 3 }));
        yield return ("-m time --timestart 01:00:00 --timestop 02:03:04 --monthdays 1,2 --weekdays Mon,Sun --datestop 1970-01-02T00:00:00 --kerneltz",
            Of(new TimeMatch { DayStart = 3600, DayStop = 7384, MonthDays = 6, Weekdays = 0x82, DateStop = 86400, KernelTimeZone = true }));
        yield return ("-m physdev --physdev-in eth+ ! --physdev-is-bridged", Of(new PhysdevMatch(new InterfaceMatch("eth+")) { IsBridged = false }));
        yield return ("-m cgroup ! --path \"a/b\"", Of(new CgroupMatch("a/b", null, Negated: true)));
        yield return ("-m bpf --bytecode \"1,6 0 0 4\"", Of(new BpfMatch([6, 0, 0, 0, 4, 0, 0, 0])));
        yield return ("-m connbytes ! --connbytes 1:2 --connbytes-mode avgpkt --connbytes-dir reply", Of(new ConnbytesMatch(2, 1, ConnbytesUnit.AverageSize, ConnbytesDirection.Reply)));
        yield return ("-m statistic --mode nth ! --every 3 --packet 2", Of(new StatisticNthMatch(3, 2, Negated: true)));
        yield return ("-m ecn ! --ecn-tcp-cwr --ecn-ip-ect 2", Of(new EcnMatch { TcpReduced = false, Codepoint = 2 }));
        yield return ("-j LOG --log-prefix \"a b\" --log-level 7 --log-uid", To(new LogTarget("a b", 7, LogTargetFlags.Uid)));
        yield return ("-j NFLOG --nflog-prefix p --nflog-group 3 --nflog-size 9 --nflog-threshold 2", To(new NflogTarget(3, "p", 9, 2)));
        yield return ("-j NFQUEUE --queue-balance 1:4 --queue-bypass", To(new QueueTarget(1, 4, Bypass: true)));
        yield return ("-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x2 --left-shift-mark 3", To(new ConnmarkTarget(ConnmarkAction.Save, 0, 2, 1) { Shift = 3 }));
        yield return ("-j TCPMSS --clamp-mss-to-pmtu", To(new TcpMssTarget()));
        yield return ("-j NOTRACK", To(ConntrackTarget.NoTrack));
        yield return ("-j CT --helper ftp --ctevents new --zone-orig 5", To(new ConntrackTarget(ConntrackTargetFlags.ZoneOriginal, 5) { Helper = "ftp", Events = 1 }));
        yield return ("-j TRACE", To(new TraceTarget()));
        yield return ("-j SET --add-set /*2*/ src --exist --timeout 9", To(new SetTarget(new SetReference(2, [true])) { Flags = 1, Timeout = 9 }));
        yield return ("-j REDIRECT --to-ports 1-2 --random", To(new RedirectTarget(new NatRange { FirstPort = 1, LastPort = 2, Flags = NatFlags.Random })));
        yield return ("-j MASQUERADE --to-ports 5", To(new MasqueradeTarget(false) { Ports = PortRange.Single(5) }));
        yield return ("-j REJECT --reject-with tcp-reset", To(new RejectTarget(RejectAnswer.TcpReset)));
        yield return ("-j SYNPROXY --wscale 7 --mss 1460", To(new SynproxyTarget(SynproxyOptions.Mss | SynproxyOptions.WindowScale, 7, 1460)));
    }

    private static IEnumerable<(string Text, IptablesRule Rule)> OfV4()
    {
        yield return ("-m icmp ! --icmp-type 3/1", Of(new IcmpMatch(3, 1, 1, Negated: true)));
        yield return ("-m iprange ! --src-range 192.0.2.1-192.0.2.1", Of(new IpRangeMatch(new AddressRange(V4, V4, Negated: true))));
        yield return ("-m recent ! --update --hitcount 3 --rttl --name n --mask 255.0.0.0 --rdest",
            Of(new RecentMatch("n", RecentAction.Update) { HitCount = 3, Ttl = true, Negated = true, ByDestination = true, Mask = IpAddr.Parse("255.0.0.0") }));
        yield return ("-m ah --ahspi 1:10", Of(new AhMatch(Spis)));
        yield return ("-m ttl ! --ttl-eq 4", Of(new TtlMatch(TtlOperator.NotEqual, 4)));
        yield return ("-j SNAT --to-source 192.0.2.1:5-9 --persistent", To(new SnatTarget(new NatRange { First = V4, FirstPort = 5, LastPort = 9, Flags = NatFlags.Persistent })));
        yield return ("-j DNAT --to-destination 192.0.2.1:7-9/3", To(new DnatRangeTarget(new NatRange { First = V4, FirstPort = 7, LastPort = 9, BasePort = 3 })));
        yield return ("-j NETMAP --to 10.1.0.0/16", To(new NetmapTarget(Cidr.Parse("10.1.0.0/16"))));
        yield return ("-j REJECT --reject-with icmp-host-prohibited", To(new RejectTarget(RejectAnswer.HostProhibited)));
    }

    private static IEnumerable<(string Text, IptablesRule Rule)> OfV6()
    {
        yield return ("-s ::ffff:192.0.2.1/128 ! -d ::ffff:10.0.0.0/104", new IptablesRule { Source = new AddressMatch(Cidr.Single(V4)), Destination = new AddressMatch(Cidr.Parse("10.0.0.0/8"), Negated: true) });
        yield return ("-m iprange --dst-range ::ffff:192.0.2.1-2001:db8::1", Of(new IpRangeMatch(null, new AddressRange(V4, V6))));
        yield return ("-m conntrack --ctorigsrc 2001:db8::/48", Of(new ConntrackMatch(0) { Details = new ConntrackDetails { OriginalSource = new AddressMatch(Cidr.Parse("2001:db8::/48")) } }));
        yield return ("-m hbh ! --hbh-len 8 --hbh-opts 5:2,194", Of(new HopByHopOptionsMatch { Length = 8, LengthNegated = true, Options = [(5, 2), (194, null)] }));
        yield return ("-m srh --srh-segs-left-gt 1 --srh-nsid 2001:db8::/32",
            Of(new SrhMatch { SegmentsTest = new SrhTest(SrhOperator.Greater), SegmentsLeft = 1, NextSegment = new AddressMatch(Cidr.Parse("2001:db8::/32")) }));
        yield return ("-j DNAT --to-destination [2001:db8::1]:80", To(new DnatTarget(new IpEndpoint(V6, 80))));
        yield return ("-j TPROXY --on-port 5 --on-ip ::ffff:192.0.2.1 --tproxy-mark 0x1/0x2", To(new TproxyTarget(5, V4, 1, 2)));
        yield return ("-j SNPT --src-pfx 2001:db8::/48 --dst-pfx fd00::/48", To(new SourcePrefixTarget(Cidr.Parse("2001:db8::/48"), Cidr.Parse("fd00::/48"))));
        yield return ("-j HL --hl-dec 1", To(new TtlTarget(TtlAction.Decrease, 1)));
    }

    private static IptablesRule Of(IptablesMatch match) => new() { Matches = [match] };

    private static IptablesRule Tcp(IptablesMatch match) => new() { Protocol = new ProtocolMatch(Protocol.Tcp), Matches = [match] };

    private static IptablesRule To(IptablesTarget target) => new() { Target = target };
}
