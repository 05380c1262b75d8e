using System.Diagnostics;

namespace KubeProxy.Netfilter.Harness;

/// <summary>A program that was run to its end.</summary>
public sealed record Tool(int ExitCode, string Output, string Error)
{
    /// <summary>Runs nft with a script on its standard input.</summary>
    public static Tool Nft(string script) => Run("nft", ["-f", "-"], script);

    /// <summary>What nft lists.</summary>
    public static string List(params IReadOnlyList<string> what) => Run("nft", ["list", .. what]).Output;

    /// <summary>Runs a program in the network namespace of the calling thread.</summary>
    public static Tool Run(string program, IReadOnlyList<string> arguments, string? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = input is not null,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        process.WaitForExit();
        return new Tool(process.ExitCode, output.Result, error.Result);
    }
}
