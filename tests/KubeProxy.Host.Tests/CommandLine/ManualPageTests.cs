using System.Diagnostics;
using KubeProxy.Host.CommandLine;

namespace KubeProxy.Host.Tests.CommandLine;

/// <summary>What is made from the flag table besides the help.</summary>
public sealed class ManualPageTests : ProgramTests
{
    [Fact]
    public async Task The_manual_page_has_every_flag_and_subcommand()
    {
        Assert.Equal(0, await RunAsync("man"));
        var page = Output.ToString();
        foreach (var flag in FlagTable.All.Where(flag => !flag.IsDeprecated)) Assert.Contains($"\\-\\-{flag.Name.Replace("-", "\\-", StringComparison.Ordinal)}", page, StringComparison.Ordinal);
        foreach (var subcommand in Subcommand.All) Assert.Contains($".SS {subcommand.Name}\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Groff_has_nothing_to_say_against_it()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/groff"), "needs groff");
        Assert.Equal("", RunShell("groff", ["-man", "-Tutf8", "-ww", "-z"], ManualPage.Text()));
    }

    [Theory]
    [InlineData("kube-proxy e", "explain")]
    [InlineData("kube-proxy explain --off", "--offline")]
    [InlineData("kube-proxy --proxy-mode nf", "nftables")]
    [InlineData("kube-proxy plan --output j", "json")]
    public void Bash_completes(string line, string expected)
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "needs bash");
        var words = line.Split(' ');
        var script = $"{Completion.For("bash")}\nCOMP_WORDS=({string.Join(' ', words)}); COMP_CWORD={words.Length - 1}; _kube_proxy; echo \"${{COMPREPLY[@]}}\"\n";
        Assert.Equal(expected, RunShell("bash", ["-s"], script).Trim());
    }

    [Fact]
    public async Task A_shell_that_is_not_known_is_an_error()
    {
        Assert.Equal(2, await RunAsync("completion", "tcsh"));
        Assert.Equal(2, await RunAsync("completion"));
        Assert.Contains("bash, zsh or fish", Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("completion", "fish"));
        Assert.Contains("complete -c kube-proxy -n '__fish_seen_subcommand_from explain' -l offline", Output.ToString(), StringComparison.Ordinal);
    }

    private static string RunShell(string program, string[] arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return text;
    }
}
