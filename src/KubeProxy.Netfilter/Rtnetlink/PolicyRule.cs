using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>
/// A rule of policy routing by packet mark: packets with the mark are routed by a table of their own (<c>ip rule</c>,
/// linux/fib_rules.h).
/// </summary>
/// <param name="Family">The family of the packets.</param>
/// <param name="Mark">The bits of the mark that are compared.</param>
/// <param name="Mask">Which bits are compared; 0 when deleting: whatever the rule compares.</param>
/// <param name="Table">The routing table, 1 or more.</param>
/// <param name="Priority">The order among rules, lower first; 0 is the rule for the table <c>local</c>.</param>
public sealed record PolicyRule(IpFamily Family, uint Mark, uint Mask, uint Table, uint Priority);
