using System.Runtime.CompilerServices;
using KubeProxy.Host.CommandLine;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class DocumentationTests
{
    [Fact]
    public void Every_field_and_flag_is_documented()
    {
        var text = File.ReadAllText(Path.Combine(Root(), "docs", "configuration.md"));
        var names = ConfigurationFieldTests.Fields.Select(row => $"| `{row.Data.Item1}` |").Concat(FlagTable.All.Select(flag => $"| `--{flag.Name}`"));
        Assert.DoesNotContain(names, name => !text.Contains(name, StringComparison.Ordinal));
    }

    /// <summary>The repository, found from this file or, where builds do not keep paths, from the program.</summary>
    private static string Root([CallerFilePath] string here = "")
    {
        var directory = File.Exists(here) ? Path.GetDirectoryName(here) : AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "KubeProxy.slnx"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The repository was not found.");
    }
}
