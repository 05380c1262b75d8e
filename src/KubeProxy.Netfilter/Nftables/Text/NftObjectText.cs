using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Named objects as nft prints them.</summary>
internal static class NftObjectText
{
    private static readonly (string State, uint Usual)[] TcpStates =
    [
        ("syn_sent", 120), ("syn_recv", 60), ("established", 432000), ("fin_wait", 120), ("close_wait", 60), ("last_ack", 30),
        ("time_wait", 120), ("close", 10), ("syn_sent2", 120), ("retrans", 300), ("unack", 300),
    ];

    private static readonly (string State, uint Usual)[] UdpStates = [("unreplied", 30), ("replied", 120)];

    /// <summary>For example <c>ct helper</c>.</summary>
    public static string Keyword(NftObjectKind kind) => kind switch
    {
        NftObjectKind.Counter => "counter",
        NftObjectKind.Quota => "quota",
        NftObjectKind.CtHelper => "ct helper",
        NftObjectKind.Limit => "limit",
        NftObjectKind.CtTimeout => "ct timeout",
        NftObjectKind.CtExpectation => "ct expectation",
        NftObjectKind.Synproxy => "synproxy",
        NftObjectKind.Secmark => "secmark",
        NftObjectKind.Tunnel => "tunnel",
        _ => NftOpaqueText.Of("object"),
    };

    /// <summary>What stands between the braces, line by line.</summary>
    public static IEnumerable<string> Properties(NftObject item)
    {
        if (item.Comment is { } comment) yield return $"comment {NftValueText.Quoted(comment)}";
        foreach (var line in Content(item.Content)) yield return line;
    }

    private static IEnumerable<string> Content(NftObjectContent content) => content switch
    {
        NftStateContent { State: NftCounter counter } => [$"packets {NftValueText.Decimal(counter.Packets)} bytes {NftValueText.Decimal(counter.Bytes)}"],
        NftStateContent { State: NftQuota quota } => [NftStatementText.Stateful(quota)["quota ".Length..]],
        NftStateContent { State: NftLimit limit } => [NftStatementText.Limit(limit)["limit ".Length..]],
        NftHelperContent helper => [$"type {NftValueText.Quoted(helper.Helper)} protocol {Protocol(helper.Protocol)}", $"l3proto {Family(helper.Family)}"],
        NftTimeoutContent timeout => [$"protocol {Protocol(timeout.Protocol)}", $"l3proto {Family(timeout.Family)}", $"policy = {{ {Timeouts(timeout)} }}"],
        NftExpectationContent expectation =>
        [
            $"protocol {Protocol(expectation.Protocol)}", $"dport {NftValueText.Decimal(expectation.Port)}",
            $"timeout {NftValueText.Time(TimeSpan.FromMilliseconds(expectation.Timeout))}", $"size {NftValueText.Decimal(expectation.Size)}",
            .. expectation.Family is { } family ? [$"l3proto {Family(family)}"] : Array.Empty<string>(),
        ],
        NftSynproxyContent { Synproxy: var synproxy } => Synproxy(synproxy),
        NftSecmarkContent secmark => [NftValueText.Quoted(secmark.Context)],
        NftOpaqueContent opaque => [NftOpaqueText.Of("0x" + Convert.ToHexStringLower(opaque.Data.AsSpan()))],
        _ => [NftOpaqueText.Of(content.ToString())],
    };

    private static IEnumerable<string> Synproxy(NftSynproxy synproxy)
    {
        if ((synproxy.Flags & 1) != 0) yield return $"mss {NftValueText.Decimal(synproxy.Mss)}";
        if ((synproxy.Flags & 2) != 0) yield return $"wscale {NftValueText.Decimal(synproxy.WindowScale)}";
        var options = ((synproxy.Flags & 8) != 0 ? " timestamp" : "") + ((synproxy.Flags & 4) != 0 ? " sack-perm" : "");
        if (options.Length > 0) yield return options.TrimStart();
    }

    /// <summary>Only what is not as usual.</summary>
    private static string Timeouts(NftTimeoutContent timeout)
    {
        var states = timeout.Protocol == NftHeaders.Tcp ? TcpStates : UdpStates;
        return string.Join(", ", timeout.Seconds.Take(states.Length).Select((seconds, index) => (seconds, states[index]))
            .Where(entry => entry.seconds != entry.Item2.Usual).Select(entry => $"{entry.Item2.State} : {NftValueText.Decimal(entry.seconds)}"));
    }

    private static string Protocol(byte protocol) => NftValueText.Value(NftDataType.InetProto, [protocol]);

    private static string Family(NftFamily family) => family.ToString().ToLowerInvariant();
}
