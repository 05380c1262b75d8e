using System.Text;
using KubeProxy.Host.Yaml;

namespace KubeProxy.Host.Tests.Yaml;

public sealed class YamlManifestFormatTests
{
    /// <summary>Number, line, and what is there: the value of <c>a</c>, or an exclamation mark.</summary>
    private static string Read(string text) => string.Join(
        ' ', new YamlManifestFormat().Read(Encoding.UTF8.GetBytes(text)).Select(document =>
            $"{document.Index}@{document.Line}:{(document.Error is null ? document.Content.GetProperty("a").ToString() : "!")}"));

    [Theory]
    [InlineData("a: 1\n---\na: 2\n", "1@1:1 2@3:2")]
    [InlineData("a: 1\n---\na: 2\n---\na: [broken\n---\na: 4\n", "1@1:1 2@3:2 3@6:! 4@7:4")]
    [InlineData("a: [broken\n---\na: 2\n", "1@2:! 2@3:2")]
    [InlineData("a: {x\n--- # two\na: 2\n---\na: @\n", "1@2:! 2@3:2 3@5:!")]
    [InlineData("# a comment\n%YAML 1.2\n---\na: 1\n---\na: 'x\n", "1@4:1 2@6:!")]
    [InlineData("a: |\n  ---\n  text\n---\na: ]\n", "1@1:---\n  text 2@5:!")]
    public void Only_what_is_broken_is_lost(string text, string expected) =>
        Assert.Equal(expected.Replace("\n  ", "\n", StringComparison.Ordinal), Read(text).Replace("text\n ", "text ", StringComparison.Ordinal));
}
