using System.Globalization;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Rules as <c>iptables-save</c> prints them. What it could not say is a comment in slashes.</summary>
public static class IptablesText
{
    private static readonly (ConntrackStates State, string Name)[] StateNames =
    [
        (ConntrackStates.Invalid, "INVALID"), (ConntrackStates.New, "NEW"), (ConntrackStates.Related, "RELATED"),
        (ConntrackStates.Established, "ESTABLISHED"), (ConntrackStates.Untracked, "UNTRACKED"),
        (ConntrackStates.Snat, "SNAT"), (ConntrackStates.Dnat, "DNAT"),
    ];

    private static readonly (AddressTypes Type, string Name)[] TypeNames =
    [
        (AddressTypes.Unspecified, "UNSPEC"), (AddressTypes.Unicast, "UNICAST"), (AddressTypes.Local, "LOCAL"),
        (AddressTypes.Broadcast, "BROADCAST"), (AddressTypes.Multicast, "MULTICAST"),
    ];

    /// <summary>The line: <c>-A chain</c> and the arguments.</summary>
    public static string Line(string chain, IptablesRule rule, IpFamily family)
    {
        var arguments = Arguments(rule, family);
        return arguments.Length == 0 ? $"-A {chain}" : $"-A {chain} {arguments}";
    }

    /// <summary>The arguments.</summary>
    public static string Arguments(IptablesRule rule, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var text = new StringBuilder();
        if (rule.Source is { } source) Argument(text, source.Negated, $"-s {source.Block}");
        if (rule.Destination is { } destination) Argument(text, destination.Negated, $"-d {destination.Block}");
        if (rule.InputInterface is { } input) Argument(text, input.Negated, $"-i {input.Name}");
        if (rule.OutputInterface is { } output) Argument(text, output.Negated, $"-o {output.Name}");
        if (rule.Protocol is { } protocol) Argument(text, protocol.Negated, $"-p {protocol.Protocol.ToLowerName()}");
        foreach (var match in rule.Matches) Append(text, Match(match, rule, family));
        if (rule.Target is { } target) Append(text, Target(target, family));
        return text.ToString();
    }

    private static void Append(StringBuilder text, string argument) => text.Append(text.Length == 0 ? "" : " ").Append(argument);

    private static void Argument(StringBuilder text, bool negated, string argument) => Append(text, Not(negated) + argument);

    private static string Not(bool negated) => negated ? "! " : "";

    private static string Match(IptablesMatch match, IptablesRule rule, IpFamily family) => match switch
    {
        CommentMatch comment => $"-m comment --comment {Quoted(comment.Text)}",
        PortMatch ports => $"-m {rule.Protocol?.Protocol.ToLowerName()}{Ports("sport", ports.Source)}{Ports("dport", ports.Destination)}",
        AddressTypeMatch types => $"-m addrtype{Types("src", types.Source)}{Types("dst", types.Destination)}",
        ConntrackMatch states => $"-m conntrack {Not(states.Negated)}--ctstate {Names(StateNames, states.States)}",
        MarkMatch mark => $"-m mark {Not(mark.Negated)}--mark 0x{mark.Value:x}{(mark.Mask == uint.MaxValue ? "" : $"/0x{mark.Mask:x}")}",
        StatisticMatch statistic => string.Create(CultureInfo.InvariantCulture, $"-m statistic --mode random --probability {statistic.Probability:F11}"),
        RecentMatch recent => Recent(recent, family),
        AccountingMatch accounting => $"-m nfacct --nfacct-name  {accounting.Name}",
        UnknownMatch unknown => $"/* {NftRuleText.Statement(unknown.Statement)} */",
        _ => throw new ArgumentException($"{match} has no text.", nameof(match)),
    };

    private static string Ports(string name, PortRange? ports) => ports switch
    {
        null => "",
        { First: var first, Last: var last } when first == last => $" {Not(ports.Negated)}--{name} {first}",
        _ => $" {Not(ports.Negated)}--{name} {ports.First}:{ports.Last}",
    };

    private static string Types(string side, AddressTypes types) => types == 0 ? "" : $" --{side}-type {Names(TypeNames, types)}";

    private static string Names<T>((T Value, string Name)[] names, T values) where T : struct, Enum =>
        string.Join(',', names.Where(name => values.HasFlag(name.Value)).Select(name => name.Name));

    private static string Recent(RecentMatch recent, IpFamily family)
    {
        var text = recent.Action == RecentAction.Set ? "-m recent --set" : "-m recent --rcheck";
        if (recent.Seconds != 0) text += string.Create(CultureInfo.InvariantCulture, $" --seconds {recent.Seconds}");
        if (recent.Reap) text += " --reap";
        var mask = family == IpFamily.IPv6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255";
        return $"{text} --name {recent.Name} --mask {mask} --rsource";
    }

    private static string Target(IptablesTarget target, IpFamily family) => target switch
    {
        VerdictTarget { Verdict: { Kind: NftVerdictKind.Goto, Chain: var chain } } => $"-g {chain}",
        VerdictTarget { Verdict: { Chain: { } chain } } => $"-j {chain}",
        VerdictTarget { Verdict.Kind: var kind } => $"-j {kind.ToString().ToUpperInvariant()}",
        DnatTarget dnat => $"-j DNAT --to-destination {dnat.To}",
        MasqueradeTarget masquerade => masquerade.RandomFully ? "-j MASQUERADE --random-fully" : "-j MASQUERADE",
        MarkTarget mark => $"-j MARK --set-xmark 0x{mark.Value:x}/0x{mark.Mask:x}",
        RejectTarget => family == IpFamily.IPv6
            ? "-j REJECT --reject-with icmp6-port-unreachable" : "-j REJECT --reject-with icmp-port-unreachable",
        UnknownTarget unknown => $"/* {NftRuleText.Statement(unknown.Statement)} */",
        _ => throw new ArgumentException($"{target} has no text.", nameof(target)),
    };

    /// <summary>As xtables quotes: anything but letters, digits, minus and underscore needs quotes.</summary>
    private static string Quoted(string text)
    {
        if (text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return text;
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\' or '\'') quoted.Append('\\');
            quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
