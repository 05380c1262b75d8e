using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Rules as <c>iptables-save</c> prints them. What it could not say is a comment in slashes.</summary>
public static class IptablesText
{
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
        var text = new IptablesArguments(family, rule.Protocol);
        if (rule.Source is { } source) text.Not(source.Negated).Add($"-s {XtAddresses.Text(source.Block, family)}");
        if (rule.Destination is { } destination) text.Not(destination.Negated).Add($"-d {XtAddresses.Text(destination.Block, family)}");
        if (rule.InputInterface is { } input) text.Not(input.Negated).Add($"-i {input.Name}");
        if (rule.OutputInterface is { } output) text.Not(output.Negated).Add($"-o {output.Name}");
        if (rule.Protocol is { } protocol) text.Not(protocol.Negated).Add($"-p {IptablesProtocols.Name((byte)protocol.Protocol)}");
        foreach (var match in rule.Matches) Print(match, text);
        if (rule.Target is { } target) Print(target, text);
        return text.ToString();
    }

    private static void Print(IptablesMatch match, IptablesArguments text)
    {
        switch (match)
        {
            case PortMatch when text.Protocol is { } protocol: Options(match, IptablesProtocols.Name((byte)protocol.Protocol)); break;
            case PortPairMatch pair: text.Add($"-m {IptablesProtocols.Name((byte)(text.Protocol?.Protocol ?? 0))} ! --sport {pair.Source} ! --dport {pair.Destination}"); break;
            case MarkMatch mark: text.Add("-m mark").Not(mark.Negated).Add($"--mark {IptablesArguments.Mark(mark.Value, mark.Mask)}"); break;
            case LimitMatch limit: text.Add($"-m limit {limit.Arguments}"); break;
            case UnknownMatch unknown: text.Add($"/* {NftRuleText.Statement(unknown.Statement)} */"); break;
            case ConntrackMatch { AsState: true }: Options(match, "state"); break;
            default: Options(match, null); break;
        }

        void Options(IptablesMatch value, string? name)
        {
            var codec = XtMatches.Table.Find(value, text.Family) ?? throw new ArgumentException($"{value} has no text.", nameof(match));
            codec.Print(value, text.Add($"-m {name ?? codec.Name}"));
        }
    }

    private static void Print(IptablesTarget target, IptablesArguments text)
    {
        switch (target)
        {
            case VerdictTarget { Verdict: { Kind: NftVerdictKind.Goto, Chain: var chain } }: text.Add($"-g {chain}"); break;
            case VerdictTarget { Verdict.Chain: { } chain }: text.Add($"-j {chain}"); break;
            case VerdictTarget { Verdict.Kind: var kind }: text.Add($"-j {kind.ToString().ToUpperInvariant()}"); break;
            case NflogTarget log: log.Print(text.Add("-j NFLOG")); break;
            case TraceTarget: text.Add("-j TRACE"); break;
            case UnknownTarget unknown: text.Add($"/* {NftRuleText.Statement(unknown.Statement)} */"); break;
            case ConntrackTarget { IsAlias: true }: text.Add("-j NOTRACK"); break;
            default:
                var codec = XtTargets.Table.Find(target, text.Family) ?? throw new ArgumentException($"{target} has no text.", nameof(target));
                codec.Print(target, text.Add($"-j {codec.Name}"));
                break;
        }
    }
}
