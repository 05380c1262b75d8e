using KubeProxy.Host.CommandLine;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class DocumentationTests
{
    [Fact]
    public void Every_field_and_flag_is_documented()
    {
        var text = Repository.Read("docs", "configuration.md");
        var names = ConfigurationFieldTests.Fields.Select(row => $"| `{row.Data.Item1}` |").Concat(FlagTable.All.Select(flag => $"| `--{flag.Name}`"));
        Assert.DoesNotContain(names, name => !text.Contains(name, StringComparison.Ordinal));
    }
}
