using System.Text.Json;

namespace KubeProxy.Host.Tests.Inspection;

/// <summary>
/// <c>kube-proxy explain --offline</c> on situations: each file says what is asked and why things are so, which has to stand within the first
/// five lines; the whole text is in the file beside it. UPDATE_GOLDEN=DIRECTORY writes the texts there instead.
/// </summary>
public sealed class ExplainSituationTests : ProgramTests
{
    private const int FirstLines = 5;

    private static readonly string Situations = Path.Combine(AppContext.BaseDirectory, "Inspection", "Situations");

    public static TheoryData<string> Names => [.. System.IO.Directory.GetFiles(Situations, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_right_cause_stands_at_the_beginning(string name)
    {
        var (target, because, flags) = await PrepareAsync(name);
        var code = await ExplainAsync(target, flags);
        var text = Output.ToString();
        Assert.Contains(because, string.Join('\n', text.Split('\n').Take(FirstLines)), StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 } directory) await File.WriteAllTextAsync(Path.Combine(directory, name + ".txt"), $"exit code {code}\n{text}", TestContext.Current.CancellationToken);
        else Assert.Equal(await File.ReadAllTextAsync(Path.Combine(Situations, name + ".txt"), TestContext.Current.CancellationToken), $"exit code {code}\n{text}");
        Assert.DoesNotContain(text, c => char.IsControl(c) && c != '\n');
        Assert.Equal("", Errors.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Programs_get_the_same_as_json(string name)
    {
        var (target, _, flags) = await PrepareAsync(name);
        var code = await ExplainAsync(target, [.. flags, "--output", "json"]);
        using var json = JsonDocument.Parse(Output.ToString());
        Assert.Equal(code, json.RootElement.GetProperty("exitCode").GetInt32());
        var ports = json.RootElement.GetProperty("servicePorts");
        Assert.True(ports.GetArrayLength() > 0 || json.RootElement.GetProperty("causes").GetArrayLength() > 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.96.0.10:x")]
    [InlineData("10.96.0.10:0")]
    [InlineData("node:70000")]
    [InlineData("web")]
    [InlineData("a/b/c")]
    [InlineData("web.default.pod")]
    [InlineData("\u001b[2J/x")]
    public async Task What_is_no_target_is_an_error_that_names_it(string target)
    {
        Assert.Equal(2, await ExplainAsync(target, []));
        Assert.StartsWith("kube-proxy explain: ", Errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', Errors.ToString());
        Assert.Equal("", Output.ToString());
    }

    [Fact]
    public async Task Without_a_target_it_says_so()
    {
        Assert.Equal(2, await RunAsync("explain"));
        Assert.Contains("TARGET", Errors.ToString() + Output.ToString(), StringComparison.Ordinal);
    }

    private async Task<(string Target, string Because, string[] Flags)> PrepareAsync(string name)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Situations, name + ".yaml"), TestContext.Current.CancellationToken);
        WriteFile("m/objects.yaml", text);
        var lines = text.Split('\n');
        return (Value("explain")!, Value("because")!, Value("flags")?.Split(' ') ?? []);

        string? Value(string key) => lines.FirstOrDefault(line => line.StartsWith($"# {key}: ", StringComparison.Ordinal) || line.StartsWith($"# {key} ", StringComparison.Ordinal))?[(key.Length + 3)..].Trim();
    }

    private Task<int> ExplainAsync(string target, string[] flags) =>
        RunAsync(["explain", target, "--offline", "--manifests", Path.Combine(Directory, "m"), "--node", "node1", "--proxy-mode", "nftables", .. flags]);
}
