using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Kernel.Tests.Iptables;

/// <summary>Every match and every target: what the real tool writes is read as the rule that we would write, and it prints ours as its own.</summary>
public sealed class IptablesRuleWitnessTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Rules_of_the_real_tool_are_ours(IpFamily family)
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace(), family);
        var counted = await HasCounterAsync(node);
        foreach (var table in new[] { IptablesTable.Filter, IptablesTable.Nat, IptablesTable.Mangle })
        {
            IptablesRule[] rules = [.. RulesOf(table, family, counted)];
            var text = new StringBuilder($"*{table.NftName()}\n:theirs - [0:0]\n:ours - [0:0]\n:elsewhere - [0:0]\n");
            foreach (var rule in rules) text.Append(IptablesText.Line("theirs", rule, family)).Append('\n');
            node.Namespace.ExecWithInput(text.Append("COMMIT\n").ToString(), node.Tool("-restore"), "--noflush");
            var transaction = new NftTransaction();
            foreach (var rule in rules) transaction.Add(new IptablesChain(table, "ours").Key(family), IptablesClient.Encode(rule, family));
            await node.Connection.Client.CommitAsync(transaction, TestContext.Current.CancellationToken);

            var chains = await node.Client.ReadAsync(table, TestContext.Current.CancellationToken);
            Assert.Equal(rules, chains["theirs"].Rules.Select(rule => rule.Rule));
            Assert.Equal(rules, chains["ours"].Rules.Select(rule => rule.Rule));
            var saved = node.Save(table);
            Assert.Equal(
                saved.Where(line => line.StartsWith("-A theirs ", StringComparison.Ordinal)).Select(line => line["-A theirs ".Length..]),
                saved.Where(line => line.StartsWith("-A ours ", StringComparison.Ordinal)).Select(line => line["-A ours ".Length..]));
            Assert.Equal(rules.Length, saved.Count(line => line.StartsWith("-A ours ", StringComparison.Ordinal)));
        }

        node.Namespace.Exec("nft", "list", "ruleset");
        node.Namespace.ExecWithInput(node.Namespace.Exec(node.Tool("-save")), node.Tool("-restore"), "--test");
    }

    [Fact]
    public async Task Accounting_objects_tell_what_rules_counted()
    {
        await using var node = new IptablesNode(NetworkNamespace.Create());
        using var accounting = node.Namespace.Run(AccountingClient.Open);
        var cancellationToken = TestContext.Current.CancellationToken;
        Assert.SkipUnless(await accounting.EnsureAsync("counter", cancellationToken), "the kernel has no accounting objects (CONFIG_NETFILTER_NETLINK_ACCT)");
        Assert.Null(await accounting.ReadAsync("another", cancellationToken));
        Assert.Equal(default(AccountingCounter), await accounting.ReadAsync("counter", cancellationToken));
        node.Namespace.Exec("iptables", "-A", "OUTPUT", "-p", "udp", "-m", "nfacct", "--nfacct-name", "counter");
        node.Namespace.Exec("bash", "-c", "echo -n 12345 > /dev/udp/127.0.0.1/9");
        Assert.Equal(new AccountingCounter(1, 20 + 8 + 5), await accounting.ReadAsync("counter", cancellationToken));
    }

    private static async Task<bool> HasCounterAsync(IptablesNode node)
    {
        using var accounting = node.Namespace.Run(AccountingClient.Open);
        return await accounting.EnsureAsync("counter", TestContext.Current.CancellationToken);
    }

    private static IEnumerable<IptablesRule> RulesOf(IptablesTable table, IpFamily family, bool counted)
    {
        var (address, blocks) = family == IpFamily.IPv4
            ? ("10.96.0.10", new[] { "10.96.0.10/32", "10.0.0.0/8", "203.0.113.64/26", "198.18.0.0/15" })
            : ("fd00:10:96::10", ["fd00:10:96::10/128", "fd00::/8", "2001:db8::/61", "2001:db8:7::/48"]);
        foreach (var block in blocks)
        {
            foreach (var negated in new[] { false, true })
            {
                yield return new IptablesRule { Source = new AddressMatch(Cidr.Parse(block), negated), Target = IptablesTarget.Return };
                yield return new IptablesRule { Destination = new AddressMatch(Cidr.Parse(block), negated), Target = IptablesTarget.Jump("elsewhere") };
            }
        }

        foreach (var name in new[] { "eth0", "cali+" })
        {
            yield return new IptablesRule { InputInterface = new InterfaceMatch(name) };
            yield return new IptablesRule { OutputInterface = new InterfaceMatch(name, Negated: true), Target = new VerdictTarget(NftVerdict.Goto("elsewhere")) };
        }

        foreach (var protocol in new[] { Protocol.Tcp, Protocol.Udp, Protocol.Sctp })
        {
            yield return With(protocol, PortMatch.Any);
            yield return With(protocol, new PortMatch(null, PortRange.Single(80)));
            yield return With(protocol, new PortMatch(new PortRange(53, 53, Negated: true), PortRange.Single(8080)));
        }

        yield return Of(new CommentMatch("default/web:http cluster IP"));
        yield return Of(new CommentMatch("a-word"));
        yield return Of(new CommentMatch("quoted \" and \\ and ' too"));
        yield return Of(new AddressTypeMatch(AddressTypes.Local, AddressTypes.None));
        yield return Of(new AddressTypeMatch(AddressTypes.None, AddressTypes.Local));
        yield return Of(new ConntrackMatch(ConntrackStates.New));
        yield return Of(new ConntrackMatch(ConntrackStates.Related | ConntrackStates.Established | ConntrackStates.Dnat, Negated: true));
        yield return Of(new ConntrackMatch(ConntrackStates.Invalid));
        yield return Of(new MarkMatch(0x4000, 0x4000));
        yield return Of(new MarkMatch(0x4000, 0x4000, Negated: true));
        yield return Of(new MarkMatch(5));
        yield return Of(StatisticMatch.Of(0.3333333333));
        yield return Of(new RecentMatch("KUBE-SEP-ABCDEFGHIJKLMNOP", RecentAction.Set));
        yield return Of(new RecentMatch("KUBE-SEP-ABCDEFGHIJKLMNOP", RecentAction.Check, 10800, Reap: true));
        if (counted) yield return Of(new AccountingMatch("counter"));
        yield return With(Protocol.Tcp, new CommentMatch("several"), new ConntrackMatch(ConntrackStates.New), new MarkMatch(1, 1), new PortMatch(null, PortRange.Single(443)));

        foreach (var verdict in new[] { IptablesTarget.Accept, IptablesTarget.Return, IptablesTarget.Drop })
            if (table != IptablesTable.Nat || verdict != IptablesTarget.Drop) yield return new IptablesRule { Target = verdict };
        yield return new IptablesRule { Target = MarkTarget.Or(0x4000) };
        yield return new IptablesRule { Target = MarkTarget.Xor(0x4000) };
        if (table == IptablesTable.Filter) yield return new IptablesRule { Target = new RejectTarget() };
        if (table != IptablesTable.Nat) yield break;
        yield return new IptablesRule { Target = new MasqueradeTarget(RandomFully: true) };
        yield return new IptablesRule { Target = new MasqueradeTarget(RandomFully: false) };
        foreach (var protocol in new[] { Protocol.Tcp, Protocol.Udp, Protocol.Sctp })
            yield return With(protocol, PortMatch.Any) with { Target = new DnatTarget(new IpEndpoint(IpAddr.Parse(address), 8080)) };
    }

    private static IptablesRule Of(IptablesMatch match) => new() { Matches = [match], Target = IptablesTarget.Jump("elsewhere") };

    private static IptablesRule With(Protocol protocol, params IptablesMatch[] matches) => new() { Protocol = new ProtocolMatch(protocol), Matches = [.. matches] };
}
