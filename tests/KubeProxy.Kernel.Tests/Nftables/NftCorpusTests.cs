using KubeProxy.Netfilter.Harness;

namespace KubeProxy.Kernel.Tests.Nftables;

/// <summary>
/// A corpus of rules and tables, loaded with nft: our text is what nft lists, and what is written back lists the same.
/// What a kernel or nft does not take is left out.
/// </summary>
public sealed class NftCorpusTests
{
    private static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Corpus");

    [Fact]
    public void Rules()
    {
        SkipWithoutNft();
        var outcomes = Directory.EnumerateFiles(Path.Combine(Corpus, "rules"), "*.t").SelectMany(RuleFile.Read).SelectMany(RuleRun.Run).ToArray();
        AssertNothingIsLost(outcomes, atLeast: 600);
    }

    [Fact]
    public void Tables()
    {
        SkipWithoutNft();
        var outcomes = Directory.EnumerateFiles(Path.Combine(Corpus, "tables"), "*.nft").SelectMany(TableRun.Run).ToArray();
        AssertNothingIsLost(outcomes, atLeast: 60);
    }

    private static void SkipWithoutNft()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root to make network namespaces");
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") || File.Exists("/sbin/nft"), "needs nft");
    }

    private static void AssertNothingIsLost(Outcome[] outcomes, int atLeast)
    {
        var taken = outcomes.Where(outcome => outcome.Reading != "not taken").ToArray();
        Assert.True(taken.Length >= atLeast, $"only {taken.Length} were taken by nft");
        using var faults = new StringWriter();
        Report.WriteFaults(faults, taken);
        Assert.Equal("", faults.ToString());
    }
}
