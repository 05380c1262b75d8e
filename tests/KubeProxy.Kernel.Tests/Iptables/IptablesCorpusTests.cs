using KubeProxy.Netfilter.Harness;

namespace KubeProxy.Kernel.Tests.Iptables;

/// <summary>
/// A corpus of rules, loaded with iptables: our text is what iptables-save prints, and what is written back is printed the same. What
/// a kernel or iptables does not take is left out.
/// </summary>
public sealed class IptablesCorpusTests
{
    [Fact]
    public void Rules()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root to make network namespaces");
        Assert.SkipUnless(File.Exists("/usr/sbin/iptables-nft"), "needs iptables-nft");
        var corpus = Path.Combine(AppContext.BaseDirectory, "Corpus", "iptables");
        var outcomes = Directory.EnumerateFiles(corpus, "*.t").SelectMany(IptablesFile.Read).SelectMany(IptablesRun.Run).ToArray();
        var taken = outcomes.Where(outcome => outcome.Reading != "not taken").ToArray();
        Assert.True(taken.Length >= 300, $"only {taken.Length} were taken by iptables");
        using var faults = new StringWriter();
        Report.WriteFaults(faults, taken);
        Assert.Equal("", faults.ToString());
    }
}
