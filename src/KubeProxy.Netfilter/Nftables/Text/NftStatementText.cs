using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Single statements as nft prints them.</summary>
/// <param name="family">The family of the table; null when it is not known.</param>
/// <param name="context">What is known of the packets from the statements before.</param>
internal sealed partial class NftStatementText(NftFamily? family, NftPacketContext context)
{
    private static readonly string[] Levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];

    public string Statement(NftStatement statement) => statement switch
    {
        NftMatch match => Match(match),
        NftRangeMatch match => $"{Expression(match.Left)}{(match.Negated ? " !=" : "")} {Range(match)}",
        NftPrefixMatch match => $"{Expression(match.Left)}{NotEqual(match.Operator)} {Prefix(match)}",
        NftBitsMatch match => Bits(match),
        NftSetMatch match => $"{Expression(match.Key)}{(match.Negated ? " !=" : "")} @{match.Set}",
        NftAnonymousSetMatch match => $"{Expression(match.Key)}{(match.Negated ? " !=" : match.Key is NftBitwise or NftShift ? " ==" : "")} {Anonymous(match.Key, null, match.Elements)}",
        NftVerdictStatement verdict => verdict.Verdict.ToString(),
        NftVerdictMapStatement map => $"{Expression(map.Key)} vmap @{map.Map}",
        NftAnonymousVerdictMap map => $"{Expression(map.Key)} vmap {Anonymous(map.Key, null, map.Elements)}",
        NftSetMeta set => $"{NftKeyTable.Meta(set.Key).Text} set {Assigned(set.Value, NftKeyTable.Meta(set.Key).Format)}",
        NftSetCt set => $"{Expression(new NftCt(set.Key, set.Direction))} set {(set is { Key: NftCtKey.EventMask, Value: NftConstant events } ? EventNames(events) : Assigned(set.Value, NftKeyTable.Ct(set.Key).Format))}",
        NftSetPayload set => $"{Expression(new NftPayload(set.Field))} set {Assigned(set.Value, set.Field.Format)}",
        NftSetExtension set => $"{Expression(set.Option)} set {Assigned(set.Value, set.Option.FormatsOf()[0])}",
        NftResetTcpOption reset => $"reset {Expression(new NftExtension(NftExtensionKind.TcpOption, reset.Option, 0, 8, IsPresence: true))}",
        NftNat nat => Nat(nat),
        NftTproxy tproxy => Tproxy(tproxy),
        NftReject reject => Reject(reject),
        NftLog log => Log(log),
        NftQueue queue => Queue(queue),
        NftDup { Address: { } address } dup => $"dup to {Expression(address)}{(dup.Device is { } device ? $" device {Expression(device)}" : "")}",
        NftDup { Device: { } device } => $"dup to {Expression(device)}",
        NftDup => "dup",
        NftForward { Address: { } address } forward => $"fwd {(forward.Family == NftFamily.Ip6 ? "ip6" : "ip")} to {Expression(address)} device {Expression(forward.Device)}",
        NftForward forward => $"fwd to {Expression(forward.Device)}",
        NftSynproxy synproxy => "synproxy" + Synproxy(synproxy),
        NftNotrack => "notrack",
        NftFlowOffload flow => $"flow add @{flow.Flowtable}",
        NftObjectReference reference => ObjectStart(reference.Kind) + NftValueText.Quoted(reference.Name),
        NftObjectMapStatement map => $"{ObjectStart(map.Kind)}{Expression(map.Key)} map {(map.Map is { } name ? "@" + name : Anonymous(map.Key, null, map.Elements!))}",
        NftDynset dynset => Dynset(dynset),
        NftStateful stateful => Stateful(stateful),
        NftOpaque opaque => NftOpaqueText.Of(opaque),
        _ => statement.ToString(),
    };

    /// <summary>A stateful statement; <paramref name="isStateless"/>: without what it has counted.</summary>
    public static string Stateful(NftStateful statement, bool isStateless = false) => statement switch
    {
        NftCounter when isStateless => "counter",
        NftCounter counter => $"counter packets {NftValueText.Decimal(counter.Packets)} bytes {NftValueText.Decimal(counter.Bytes)}",
        NftLimit limit => Limit(limit),
        NftQuota quota => $"quota {(quota.Over ? "over " : "")}{NftValueText.Size(quota.Bytes)}{(quota.Used > 0 && !isStateless ? " used " + NftValueText.Size(quota.Used) : "")}",
        NftConnectionLimit connections => $"ct count {(connections.Over ? "over " : "")}{NftValueText.Decimal(connections.Count)}",
        NftLast last => isStateless ? "last" : last.Used is { } used ? $"last used {NftValueText.Time(used)}" : "last used never",
        _ => statement.ToString(),
    };

    public static string Limit(NftLimit limit)
    {
        var unit = limit.Unit switch { 1 => "second", 60 => "minute", 3600 => "hour", 86400 => "day", 604800 => "week", _ => "error" };
        var over = limit.Over ? "over " : "";
        if (limit.IsBytes) return $"limit rate {over}{NftValueText.Size(limit.Rate)}/{unit}{(limit.Burst != 0 ? $" burst {NftValueText.Size(limit.Burst)}" : "")}";
        return $"limit rate {over}{NftValueText.Decimal(limit.Rate)}/{unit}{(limit.Burst is not (0 or 5) ? $" burst {NftValueText.Decimal(limit.Burst)} packets" : "")}";
    }

    /// <summary>What follows the word.</summary>
    public static string Synproxy(NftSynproxy synproxy) =>
        ((synproxy.Flags & 3) != 0 ? $" mss {NftValueText.Decimal(synproxy.Mss)} wscale {NftValueText.Decimal(synproxy.WindowScale)}" : "")
        + ((synproxy.Flags & 8) != 0 ? " timestamp" : "") + ((synproxy.Flags & 4) != 0 ? " sack-perm" : "");

    private static string ObjectStart(NftObjectKind kind) => kind switch
    {
        NftObjectKind.CtHelper => "ct helper set ",
        NftObjectKind.CtTimeout => "ct timeout set ",
        NftObjectKind.CtExpectation => "ct expectation set ",
        NftObjectKind.Secmark => "meta secmark set ",
        _ => NftObjectText.Keyword(kind) + " name ",
    };

    private string Dynset(NftDynset dynset)
    {
        var statements = string.Concat(dynset.Statements.Select(statement => " " + Stateful(statement, isStateless: true)));
        var timeout = dynset.Timeout is { } time ? " timeout " + NftValueText.Time(time) : "";
        var data = dynset.Data is { } value ? " : " + Expression(value) : "";
        var set = dynset.Meter is { } meter ? $"meter {dynset.Set} size {NftValueText.Decimal(meter.Size ?? 0)}" : $"{Word(dynset.Operation)} @{dynset.Set}";
        return $"{set} {{ {Expression(dynset.Key)}{timeout}{statements}{data} }}";
    }

    private string Nat(NftNat nat)
    {
        var text = Word(nat.Kind);
        if (nat.Address is not null || nat.Port is not null)
        {
            if (nat.Family is { } of && (family == NftFamily.Inet || nat.MapParts != NftNatMapParts.None || HasIntervals(nat.Address))) text += of == NftFamily.Ip6 ? " ip6" : " ip";
            if (nat.Flags.HasFlag(NftNatFlags.Netmap)) text += " prefix";
            text += " to " + NatTarget(nat);
        }

        var flags = new List<string>();
        if (nat.Flags.HasFlag(NftNatFlags.Random)) flags.Add("random");
        if (nat.Flags.HasFlag(NftNatFlags.FullyRandom)) flags.Add("fully-random");
        if (nat.Flags.HasFlag(NftNatFlags.Persistent)) flags.Add("persistent");
        return flags.Count == 0 ? text : $"{text} {string.Join(',', flags)}";
    }

    private string NatTarget(NftNat nat)
    {
        var text = "";
        if (nat.Address is { } address)
        {
            var isBracketed = nat.Port is not null && nat.Family == NftFamily.Ip6 && address is NftConstant;
            if (nat.AddressTo is { } to) text = AddressRange(address, to, isBracketed);
            else text = isBracketed ? $"[{Expression(address)}]" : Expression(address);
        }

        if (nat.Port is not { } port) return text;
        return $"{text}:{Expression(port)}{(nat.PortTo is { } portTo ? "-" + Expression(portTo) : "")}";
    }

    private string AddressRange(NftExpression from, NftExpression to, bool isBracketed)
    {
        if (from is NftConstant first && to is NftConstant last)
        {
            var range = NftValueText.Range(NftFormat.Of(first.Type), first.Value.Span, last.Value.Span);
            if (range.Contains('/', StringComparison.Ordinal)) return range;
        }

        return isBracketed ? $"[{Expression(from)}]-[{Expression(to)}]" : $"{Expression(from)}-{Expression(to)}";
    }

    private static bool HasIntervals(NftExpression? address) => address is NftAnonymousMapLookup { DataType.IsInterval: true };

    private string Tproxy(NftTproxy tproxy)
    {
        NftFamily? of = tproxy.Address is { } given ? given.Type == NftDataType.Ipv6Addr ? NftFamily.Ip6 : NftFamily.Ip : tproxy.Family;
        var named = family == NftFamily.Inet && of is not null ? of == NftFamily.Ip6 ? " ip6" : " ip" : "";
        var address = tproxy.Address is { } constant ? of == NftFamily.Ip6 ? $"[{Expression(constant)}]" : Expression(constant) : "";
        return $"tproxy{named} to {address}{(tproxy.Port is { } port ? ":" + NftValueText.Decimal(port) : "")}";
    }

    private string Reject(NftReject reject)
    {
        if (reject.TcpReset) return "reject with tcp reset";
        var isMixed = family is { } table && NftPacketContext.IsMixed(table);
        if (reject.With is not { } with)
            return isMixed && context.Family is NftFamily.Ip or NftFamily.Ip6 ? $"reject with {(context.Family == NftFamily.Ip ? "icmp" : "icmpv6")} port-unreachable" : "reject";
        if (with.IsEither) return with.Code == 1 ? "reject" : $"reject with icmpx {NftValueText.Value(NftDataType.IcmpxCode, [with.Code])}";
        return context.Family == NftFamily.Ip6
            ? $"reject with icmpv6 {NftValueText.Value(NftDataType.Icmpv6Code, [with.Code])}" : $"reject with icmp {NftValueText.Value(NftDataType.IcmpCode, [with.Code])}";
    }

    private static string Log(NftLog log)
    {
        var text = log.Prefix.Length == 0 ? "log" : $"log prefix {NftValueText.Quoted(log.Prefix)}";
        if (log.Group is { } group) text += $" group {NftValueText.Decimal(group)}";
        if (log.SnapLength is { } length) text += $" snaplen {NftValueText.Decimal(length)}";
        if (log.QueueThreshold is { } threshold) text += $" queue-threshold {NftValueText.Decimal(threshold)}";
        if (log.Level is { } level) text += $" level {(level < Levels.Length ? Levels[level] : "unknown")}";
        if ((log.Flags & NftLogFlags.All) == NftLogFlags.All) return text + " flags all";
        var tcp = new List<string>();
        if (log.Flags.HasFlag(NftLogFlags.TcpSequence)) tcp.Add("sequence");
        if (log.Flags.HasFlag(NftLogFlags.TcpOptions)) tcp.Add("options");
        if (tcp.Count > 0) text += " flags tcp " + string.Join(',', tcp);
        if (log.Flags.HasFlag(NftLogFlags.IpOptions)) text += " flags ip options";
        if (log.Flags.HasFlag(NftLogFlags.Skuid)) text += " flags skuid";
        return log.Flags.HasFlag(NftLogFlags.Ether) ? text + " flags ether" : text;
    }

    private string Queue(NftQueue queue)
    {
        var flags = new List<string>();
        if (queue.Flags.HasFlag(NftQueueFlags.Bypass)) flags.Add("bypass");
        if (queue.Flags.HasFlag(NftQueueFlags.Fanout)) flags.Add("fanout");
        var number = queue.Number is { } expression ? Expression(expression)
            : NftValueText.Decimal(queue.From) + (queue.To > queue.From ? "-" + NftValueText.Decimal(queue.To) : "");
        return $"queue{(flags.Count > 0 ? " flags " + string.Join(',', flags) : "")} to {number}";
    }

    private static string EventNames(NftConstant events)
    {
        var bits = (ulong)NftValueText.Number(NftFormat.Of(NftDataType.CtEvent), events.Value.Span);
        return bits == 0 ? "0x0" : string.Join(',', NftValueText.Bits(NftDataType.CtEvent, bits));
    }
}
