using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Netfilter.Tests.Iptables;

public class LegacyTests
{
    // An entry of a table of IPv4 as the kernel gives it: 112 bytes of header, an ERROR target with the chain's name, its size.
    private static byte[] Entry(string name)
    {
        var entry = new byte[112 + 64];
        (entry[88], entry[90], entry[112]) = (112, 112 + 64, 64);
        "ERROR"u8.CopyTo(entry.AsSpan(114));
        System.Text.Encoding.ASCII.GetBytes(name, entry.AsSpan(144));
        return entry;
    }

    [Fact]
    public void Chains_are_entries_with_an_error_target() =>
        Assert.Equal(["KUBE-SERVICES", "mine"], LegacyEntries.Chains([.. Entry("KUBE-SERVICES"), .. Entry("mine"), .. Entry("ERROR")], IpFamily.IPv4));

    [Fact]
    public void Any_bytes_are_read()
    {
        byte[] table = [.. Entry("KUBE-SERVICES"), .. Entry("mine")];
        var mutations =
            from at in Gen.Choose(0, table.Length - 1)
            from value in Gen.Choose(0, 255)
            select (at, value);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(mutations.ListOf().ToArbitrary(), list =>
        {
            byte[] bytes = [.. table];
            foreach (var (at, value) in list) bytes[at] = (byte)value;
            foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 }) Assert.InRange(LegacyEntries.Chains(bytes, family).Count, 0, 4);
        }));
    }

    [Fact]
    public async Task The_message_says_what_was_found_and_what_to_do()
    {
        LegacyChain[] chains = [new("filter", "KUBE-FIREWALL"), .. Enumerable.Range(0, 8).Select(i => new LegacyChain("nat", $"KUBE-SEP-{i}"))];
        await using var harness = IptablesHarness.Create(legacy: chains);
        var e = await Assert.ThrowsAsync<ProxyBackendException>(() => harness.Backend.StartAsync(_ => { }, TestContext.Current.CancellationToken));
        Assert.Contains("nat KUBE-SEP-4 and 3 more", e.Message, StringComparison.Ordinal);
        Assert.Contains("iptables-legacy-save | grep -v KUBE- | iptables-legacy-restore", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("KUBE-FIREWALL", e.Message, StringComparison.Ordinal);
    }
}
