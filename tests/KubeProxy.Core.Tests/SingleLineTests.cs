using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Tests;

public sealed class SingleLineTests
{
    [Theory]
    [InlineData("web-1 \u00e9\t\u4e2d", "web-1 \u00e9\t\u4e2d")]
    [InlineData("a\nok", "a\\nok")]
    [InlineData("a\r\u001b[2J\u0085\u0000", "a\\x0d\\x1b[2J\\x85\\x00")]
    [InlineData("a\u2028b\u2029\u202e", "a\\u2028b\\u2029\\u202e")]
    public void Nothing_begins_another_line_or_changes_how_it_looks(string text, string line) => Assert.Equal(line, SingleLine.Of(text));

    [Fact]
    public void Problems_are_lines_whatever_the_names_in_them() => Assert.Equal(
        "a\\nb.json Service default/x\\nok f: g",
        new ObjectProblem("Service", new NamespacedName("default", "x\nok"), "f", "g", "a\nb.json").ToString());
}
