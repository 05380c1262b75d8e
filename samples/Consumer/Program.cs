// A small firewall made with the KubeProxy.Netfilter package: a table with a set of blocked addresses, loaded in one
// transaction, changed, read back and removed. Needs root; touches the network namespace that it runs in.
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

var table = new NftTable(new NftTableKey(NftFamily.Ip, "consumer-sample"));
var blocked = new NftSet(new NftSetKey(table.Key, "blocked")) { KeyType = [NftDataType.Ipv4Addr] };
var input = new NftChain(new NftChainKey(table.Key, "input")) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Input, Priority: 0) };
var rule = new NftRule(
    new NftSetMatch(new NftPayload(NftField.IpSaddr), blocked.Key.Name), new NftCounter(), new NftVerdictStatement(NftVerdict.Drop));

await using var nftables = NftablesClient.Open();
var result = await nftables.CommitAsync(new NftTransaction()
    .Add(table).Add(blocked).Add(input).Add(input.Key, rule)
    .AddElements(blocked, [Address(192, 0, 2, 1), Address(192, 0, 2, 2)]));
Console.WriteLine($"loaded with {result.Messages} messages, {result.Bytes} bytes");

await nftables.CommitAsync(new NftTransaction().DeleteElements(blocked, [Address(192, 0, 2, 1)]));
var content = await nftables.ReadTableAsync(table.Key) ?? throw new InvalidOperationException("The table is gone.");
var elements = 0;
await nftables.ReadElementsAsync(blocked, _ => elements++, () => elements = 0);
Console.WriteLine($"the kernel has {content.Chains.Count} chain, {content.Rules["input"].Count} rule, {content.Sets.Count} set with {elements} element");

await nftables.CommitAsync(new NftTransaction().Delete(table.Key));
return (content.Rules["input"].Count, elements) == (1, 1) ? 0 : 1;

static NftElement Address(params ReadOnlySpan<byte> bytes) => new() { Key = new NftData(bytes) };
